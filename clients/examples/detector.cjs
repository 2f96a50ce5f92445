// A detector's skeleton: says that it saw a lorry on a camera, and waits until that is kept.
//   npm install; node detector.cjs ADDRESS BOX_KEY KEYFILE CAMERA
"use strict";
const fs = require("node:fs");
const zmq = require("zeromq");
const { decode, encode } = require("@msgpack/msgpack");

async function main(address, boxKey, keyFile, camera) {
  const [secret, publicKey] = fs.readFileSync(keyFile, "utf8").split("\n");
  const socket = new zmq.Dealer({ linger: 1000 });
  socket.curveServerKey = boxKey;
  socket.curveSecretKey = secret;
  socket.curvePublicKey = publicKey;
  socket.connect(address);
  const now = BigInt(Date.now()) * 1000000n;
  const mark = { type: "mark", number: 1, camera, kind: "lorry", score: 0.75 };
  const seen = { from_ns: now - 2000000000n, to_ns: now, box: [0.25, 0.5, 0.5, 0.75] };
  await socket.send(encode({ ...mark, ...seen }, { useBigInt64: true }));
  const [answer] = await socket.receive();
  const told = decode(answer, { useBigInt64: true });
  console.log(told.type, String(told.number), told.what ?? "");
  socket.close();
}

main(...process.argv.slice(2));
