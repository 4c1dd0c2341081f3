// An application that takes messages by webhook: it checks the signature and answers 200.
//
//     TWOWAY_SECRET=whsec_… node deploy/examples/receiver.mjs 8000
//
// It needs only Node. A message may come twice: `seen` knows the last ids. What it prints is where
// your own work begins. Answer within 15 seconds, and 2xx only for what is safe with you.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const secrets = process.env.TWOWAY_SECRET.split(" "); // two of them while a secret is changed
const mostSeconds = 300; // a signature that is older may be a recording
const mostOctets = 1_000_000;
const mostIds = 100_000;
const seen = new Set();

// Whether we, and nobody else, sent this body, and lately.
function isSigned(headers, body) {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  const given = headers["webhook-signature"];
  if (!id || !given || !/^\d+$/.test(timestamp ?? "")) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > mostSeconds) return false;
  const content = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  return secrets.some((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    const right = createHmac("sha256", key).update(content).digest();
    return given.split(" ").some((each) => {
      const [version, signature = ""] = each.split(",");
      const octets = Buffer.from(signature, "base64");
      return version === "v1" && octets.length === right.length && timingSafeEqual(octets, right);
    });
  });
}

const server = createServer((request, response) => {
  const pieces = [];
  let octets = 0;
  request.on("data", (piece) => {
    octets += piece.length;
    if (octets > mostOctets) request.destroy();
    else pieces.push(piece);
  });
  request.on("end", () => {
    const body = Buffer.concat(pieces);
    if (!isSigned(request.headers, body)) {
      response.writeHead(401).end();
      return;
    }
    const id = request.headers["webhook-id"];
    if (!seen.has(id)) {
      console.log(JSON.stringify(JSON.parse(body))); // your own work
      seen.add(id);
      if (seen.size > mostIds) seen.delete(seen.values().next().value);
    }
    response.writeHead(200).end();
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => {
  console.error(`listening on http://127.0.0.1:${server.address().port}/`);
});
