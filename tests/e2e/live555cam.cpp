// A camera by live555, the RTSP stack that most cameras carry: Annex B files in real time.
//
//     live555cam LOGIN_FILE NAME=FILE...
//
// LOGIN_FILE holds user:password. FILE ends in .h264 or .h265. Prints "ready PORT", serves on
// 127.0.0.1 until it is killed; a stream ends with its file. It shares no line with us.
#include "BasicUsageEnvironment.hh"
#include "GroupsockHelper.hh"
#include "liveMedia.hh"
#include <cstdio>
#include <fstream>
#include <string>

namespace {

constexpr unsigned kSessionTimeoutS = 65;
constexpr unsigned kLargestPictureBytes = 2000000;

// A server that says which port the system gave it.
class Camera : public RTSPServer {
public:
    static Camera *make(UsageEnvironment &env, UserAuthenticationDatabase *logins) {
        Port port(0);
        const int socket = setUpOurSocket(env, port, AF_INET);
        return socket < 0 ? nullptr : new Camera(env, socket, port, logins);
    }
    unsigned port() const { return ntohs(fServerPort.num()); }

private:
    Camera(UsageEnvironment &env, int socket, Port port, UserAuthenticationDatabase *logins)
        : RTSPServer(env, socket, -1, port, logins, kSessionTimeoutS) {}
};

ServerMediaSubsession *open(UsageEnvironment &env, const std::string &file) {
    const bool is_h265 = file.size() > 5 && file.compare(file.size() - 5, 5, ".h265") == 0;
    if (is_h265) return H265VideoFileServerMediaSubsession::createNew(env, file.c_str(), False);
    return H264VideoFileServerMediaSubsession::createNew(env, file.c_str(), False);
}

} // namespace

int main(int count, char **words) {
    if (count < 3) return 2;
    std::string login;
    std::getline(std::ifstream(words[1]) >> std::ws, login);
    const auto colon = login.find(':');
    if (colon == std::string::npos) return 2;

    UsageEnvironment *env = BasicUsageEnvironment::createNew(*BasicTaskScheduler::createNew());
    ReceivingInterfaceAddr = SendingInterfaceAddr = inet_addr("127.0.0.1");
    OutPacketBuffer::maxSize = kLargestPictureBytes;
    UserAuthenticationDatabase logins("LIVE555 Streaming Media");
    logins.addUserRecord(login.substr(0, colon).c_str(), login.substr(colon + 1).c_str());
    Camera *camera = Camera::make(*env, &logins);
    if (camera == nullptr) return 1;
    for (int i = 2; i < count; i++) {
        const std::string word(words[i]);
        const auto equals = word.find('=');
        const std::string name = word.substr(0, equals);
        ServerMediaSession *session =
            ServerMediaSession::createNew(*env, name.c_str(), name.c_str(), "camera");
        session->addSubsession(open(*env, word.substr(equals + 1)));
        camera->addServerMediaSession(session);
    }
    std::printf("ready %u\n", camera->port());
    std::fflush(stdout);
    env->taskScheduler().doEventLoop();
    return 0;
}
