// Subscribes with socket.io-client and prints every event as one JSON line: {"event": name, "data": payload}.
// Usage: node feed.mjs URL TOKEN SUBSCRIPTION-JSON [TRANSPORT]
import { io } from "socket.io-client";

const [url, token, subscription, transport] = process.argv.slice(2);
const print = (event, data) => console.log(JSON.stringify({ event, data }));
const socket = io(url, { auth: { token }, ...(transport ? { transports: [transport] } : {}) });

socket.on("connect", () => {
  print("connect", { transport: socket.io.engine.transport.name });
  socket.emit("subscribe", JSON.parse(subscription), (answer) => print("subscribed", answer));
});
socket.on("connect_error", (error) => {
  print("connect_error", { message: error.message, data: error.data ?? null });
  process.exit(3);
});
socket.on("disconnect", (reason) => print("disconnect", { reason }));
socket.onAny((event, data) => print(event, data));
