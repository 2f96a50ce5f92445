"""A camera's address: taken apart, repaired as cameras need it, never re-encoded.

What stands on the request line is signed byte by byte by Digest (RFC 7616 3.4.6), so one string
serves both. Credentials are cut out at once and never shown.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import unquote, urljoin, urlsplit

from vonggac.errors import ConfigError

DEFAULT_PORT = 554
TLS_PORT = 322
"""Of rtsps (IANA)."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A camera's login. `repr` shows neither part."""

    user: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CameraUrl:
    """An rtsp address without its login."""

    host: str
    """A name or an address, IPv6 without brackets."""
    port: int
    request_uri: str
    """What stands on request lines: the address as written, without login and fragment."""
    credentials: Credentials | None = None
    """The login that stood in the address, decoded once."""
    is_tls: bool = False
    """rtsps: RTSP and its packets over TLS."""

    @property
    def scheme(self) -> str:
        """`rtsp` or `rtsps`."""
        return "rtsps" if self.is_tls else "rtsp"

    @property
    def authority(self) -> str:
        """Host and port as they stand in `request_uri`."""
        return self.request_uri.split("://", 1)[1].split("/", 1)[0].split("?", 1)[0]

    def __str__(self) -> str:
        return self.request_uri


def parse_camera_url(text: str) -> CameraUrl:
    """The address a person entered. Raises ConfigError, whose message holds no login."""
    url = text.strip()
    scheme, colon, rest = url.partition("://")
    if not colon:
        raise ConfigError("a camera address starts with rtsp://")
    scheme = scheme.lower()
    if scheme not in ("rtsp", "rtsps"):
        raise ConfigError("a camera address starts with rtsp:// or rtsps://")
    while rest.lower().startswith(f"{scheme}://"):  # typed twice: go2rtc 830
        rest = rest[len(f"{scheme}://") :]
    rest = rest.split("#", 1)[0] if "@" not in rest.partition("#")[2] else rest
    login, host_part = _split_login(rest)
    end = re.search(r"[/?]", host_part)
    authority, path = (
        (host_part, "") if end is None else (host_part[: end.start()], host_part[end.start() :])
    )
    default_port = TLS_PORT if scheme == "rtsps" else DEFAULT_PORT
    host, port = _host_and_port(authority, default_port)
    return CameraUrl(
        host=host,
        port=port,
        request_uri=f"{scheme}://{_bracketed(authority, host, port, default_port)}{_visible(path)}",
        credentials=_credentials(login),
        is_tls=scheme == "rtsps",
    )


def without_login(text: str) -> str:
    """A text for people, in which no address carries a login.

    A password may hold spaces and quotes: all from an address's start to the last @ before the
    next address goes.
    """
    return re.sub(r"(?is)(rtsps?://)(?:(?!rtsps?://).)*@", r"\1", text)


def content_base(url: CameraUrl, value: str | None) -> str:
    """The base for control addresses (RFC 2326 C.1.1), or the request's own where it is no use.

    Anjvision sends none, phones send one without scheme, others `rtsp://rtsp://`.
    """
    base = (value or "").strip().strip('"')
    while base.lower().startswith("rtsp://rtsp://"):
        base = base[len("rtsp://") :]
    if not re.match(r"(?i)rtsps?://+[^/]", base):
        if base.startswith("/"):
            return f"{url.scheme}://{url.authority}{_visible(base)}"
        return url.request_uri
    return _without_userinfo(_visible(base))


def _without_userinfo(uri: str) -> str:
    """A camera that knows its login may write it into its own addresses; requests never say it."""
    scheme, mark, rest = uri.partition("://")
    return scheme + mark + _split_login(rest)[1]


class UrlForm(enum.StrEnum):
    """How a control address is made from its base; what worked is remembered of a camera."""

    APPENDED = "appended"
    """To the END of the base, query and all."""
    IN_PATH = "in-path"
    RFC_3986 = "rfc-3986"
    AS_GIVEN = "as-given"
    DIALLED_HOST = "dialled-host"
    """An absolute one, its host replaced by the one that was dialled."""
    BASE = "base"
    """There is no control, or `*`."""
    REQUEST = "request"


def control_forms(
    url: CameraUrl, base: str, control: str | None
) -> tuple[tuple[UrlForm, str], ...]:
    """Addresses to try for a control attribute (RFC 2326 C.1.1), the likeliest first, each once.

    Relative ones are appended to the END of the base, query and all, as live555 and FFmpeg do and
    Dahua and Vivotek expect; then into its path; then by RFC 3986. An absolute one is sent as
    given though nobody connects there; where it names another host, the dialled one follows.
    """
    name = _visible((control or "").strip())
    if name in ("", "*"):
        return _once((UrlForm.BASE, base), (UrlForm.REQUEST, url.request_uri))
    if "://" in name:
        name = _without_userinfo(name)
        rest = name.split("://", 1)[1]
        end = re.search(r"[/?]", rest)
        tail = "" if end is None else rest[end.start() :]
        dialled = f"{url.scheme}://{url.authority}{tail}"
        return _once((UrlForm.AS_GIVEN, name), (UrlForm.DIALLED_HOST, dialled))
    joined = base + name if name[0] == "?" else base.rstrip("/") + "/" + name.lstrip("/")
    path, mark, query = base.partition("?")
    inside = path.rstrip("/") + "/" + name.lstrip("/") + mark + query
    return _once(
        (UrlForm.APPENDED, joined),
        (UrlForm.IN_PATH, inside),
        (UrlForm.RFC_3986, _rfc3986(base, name)),
    )


def control_candidates(url: CameraUrl, base: str, control: str | None) -> tuple[str, ...]:
    """The addresses of `control_forms` alone."""
    return tuple(uri for _, uri in control_forms(url, base, control))


def _once(*forms: tuple[UrlForm, str]) -> tuple[tuple[UrlForm, str], ...]:
    """Without addresses that stand there already."""
    found: dict[str, UrlForm] = {}
    for form, uri in forms:
        found.setdefault(uri, form)
    return tuple((form, uri) for uri, form in found.items())


def _rfc3986(base: str, name: str) -> str:
    # urllib joins only schemes it knows to be hierarchical; http is.
    try:
        joined = urljoin("http" + base[len("rtsp") :], name)
    except ValueError:  # brackets that hold no IPv6 address
        return base
    is_joined = joined.startswith(("http://", "https://"))
    return "rtsp" + joined[len("http") :] if is_joined else base


def _split_login(rest: str) -> tuple[str | None, str]:
    """Cuts `user:password@` off. A password may hold `/`, `?`, `#`: then the host cannot be one."""
    end = re.search(r"[/?#]", rest)
    head = rest if end is None else rest[: end.start()]
    if re.fullmatch(r"\[[0-9A-Fa-f:.]+\](:\d*)?", head):
        return None, rest
    if "@" in head:
        login, _, host = head.rpartition("@")
        return login, host + rest[len(head) :]
    port = head.rpartition(":")[2] if ":" in head else "0"
    if "@" in rest and not port.isdigit():
        login, _, after = rest.rpartition("@")
        return login, after
    return None, rest


def _credentials(login: str | None) -> Credentials | None:
    if not login:
        return None
    user, _, password = login.partition(":")
    return Credentials(unquote(user), unquote(password))


def _host_and_port(authority: str, default_port: int) -> tuple[str, int]:
    if authority.startswith("["):
        host, closed, after = authority[1:].partition("]")
        if not closed or (after and not after.startswith(":")):
            raise ConfigError("the camera address has an unclosed [ in its host")
        port_text = after[1:]
    elif authority.count(":") > 1:  # `rtsp://::ffff:1.2.3.4/`: all of it is the host
        host, port_text = authority, ""
    else:
        host, _, port_text = authority.partition(":")
    _check_host(host)
    if port_text == "":
        return host, default_port
    if not (port_text.isascii() and port_text.isdigit() and 0 < int(port_text[:6]) < 65536):
        raise ConfigError("the camera address has a port that is not 1 to 65535")
    return host, int(port_text)


_NAME = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?")


def _check_host(host: str) -> None:
    """Raises ConfigError for what is neither a name nor an address (RFC 3986 3.2.2, RFC 1123 2.1).

    What ends in digits is an address of four numbers: the system's resolver would read
    `192.168.1.020` in octal, and call a neighbour. Nothing of it is repeated: a login may be in it.
    """
    if not host:
        raise ConfigError("the camera address names no host")
    if "%" in host:
        raise ConfigError("the camera address has an IPv6 zone (%…): give an address without one")
    if ":" in host or host.rstrip(".").rpartition(".")[2].isdigit():
        try:
            ip_address(host)
        except ValueError as error:
            what = "no IP address: four numbers up to 255 without leading zeros, or IPv6 in [ ]"
            raise ConfigError(f"the camera address has a host that is {what}") from error
    elif not _NAME.fullmatch(host):
        what = "that is none: letters without accents, digits, - and . (others as xn--…)"
        raise ConfigError(f"the camera address has a host name {what}")


def _bracketed(authority: str, host: str, port: int, default_port: int) -> str:
    if ":" in host and not authority.startswith("["):
        return f"[{host}]" if port == default_port else f"[{host}]:{port}"
    return authority


def _visible(text: str) -> str:
    """Percent-encodes what cannot stand on a request line, and nothing else (RFC 3986 2.1)."""

    def encoded(match: re.Match[str]) -> str:
        return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))

    return re.sub(r"[^\x21-\x7e]", encoded, text)


def host_of(uri: str) -> str | None:
    """The host an address names, for the check of camera networks; None where it names none."""
    try:
        return urlsplit(uri).hostname
    except ValueError:
        return None
