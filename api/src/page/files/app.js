"use strict";
// The built-in page: devices, open alarms, asset health and activities of one organisation, kept current by the live
// feed. It resumes from the last position that it has seen.

const $ = (id) => document.getElementById(id);
const POINTS = 180; // of a sparkline
const LISTED = 200; // devices that are listed
const COUNTERS = new Set(["sequence", "seq"]); // metrics that only count messages
const state = { token: null, user: null, organization: null, devices: new Map(), alarms: new Map(), assets: new Map(), activities: new Map() };
const feed = { socket: null, position: null, delay: 500, timer: null };

// ---- loading ----

async function load() {
  const keep = (map, items) => { map.clear(); for (const item of items) map.set(item.id, item); };
  const [devices, alarms, assets, activities] = await Promise.all([
    ask(`/devices?status=active&limit=${LISTED}`), ask("/alarms?open=true&suppressed=false&limit=200"),
    ask("/assets?limit=500"), ask("/activities?limit=20"),
  ]);
  const before = new Map(state.devices);
  keep(state.devices, devices.devices);
  for (const device of state.devices.values()) {
    device.values = before.get(device.id)?.values || {};
    device.points = before.get(device.id)?.points || [];
  }
  keep(state.alarms, alarms.alarms);
  keep(state.assets, assets.assets);
  keep(state.activities, activities.activities);
  state.totals = { devices: devices.total, assets: assets.total };
  drawAll();
}

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

async function reload() {
  try {
    await load();
    trouble("");
  } catch (failure) {
    trouble(`Loading failed: ${failure.message}`);
  }
}

// ---- the live feed ----

function feedState(word, kind) {
  $("feed").hidden = false;
  $("feed").textContent = word;
  $("feed").className = `pill ${kind}`;
}

function connect() {
  clearTimeout(feed.timer);
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const path = location.pathname.replace(/[^/]*$/, "");
  const organization = state.organization ? `&organization=${state.organization}` : "";
  const socket = new WebSocket(`${scheme}//${location.host}${path}api/v1/ws?token=${state.token}${organization}`);
  feed.socket = socket;
  feedState("connecting …", "reconnecting");
  socket.onopen = () => {
    const data = { organizationId: state.organization || state.user.organizationId, after: feed.position };
    socket.send(JSON.stringify({ event: "subscribe", id: 1, data }));
  };
  socket.onmessage = (message) => {
    const frame = JSON.parse(message.data);
    if (frame.position) feed.position = frame.position;
    if (frame.event === "ack") return entered(frame.data);
    HEARD[frame.event]?.(frame.data);
  };
  socket.onclose = () => {
    if (feed.socket !== socket) return;
    feedState("reconnecting …", "reconnecting");
    feed.timer = setTimeout(retry, feed.delay * (0.75 + Math.random() / 2));
    feed.delay = Math.min(feed.delay * 2, 10000);
  };
}

async function retry() {
  try {
    await ask("/auth/me");
  } catch (failure) {
    if (failure.status === 401) return;
  }
  if (state.token) connect();
}

function entered(answer) {
  if (!answer.ok) return trouble(`The live feed refused the connection: ${answer.error}`);
  feed.delay = 500;
  feedState("live", "live");
  if (answer.resumed === "reload") reload();
  feed.position = feed.position && answer.resumed === "replayed" ? feed.position : answer.position;
  for (const known of answer.snapshot.devices) {
    const device = state.devices.get(known.deviceId);
    if (!device) continue;
    device.connectivityStatus = known.status;
    device.lastSeen = known.lastSeen;
    // What was missed follows, if it is still known. Otherwise the snapshot is right, even where a value was corrected.
    if (answer.resumed !== "replayed") device.values = {};
    for (const [key, newest] of Object.entries(known.metrics)) {
      if (!(device.values[key]?.timestamp >= newest.timestamp)) device.values[key] = newest;
    }
    drawDevice(device);
  }
}

// Takes values of the feed. Late ones change nothing; of those of one time, the last to arrive counts. The feed writes
// all times with the same length, so they compare as text.
function take(device, metrics, timestamp) {
  device.moved = [];
  for (const [key, value] of Object.entries(metrics)) {
    const held = device.values[key];
    if (held?.timestamp > timestamp) continue;
    if (held?.value !== value) device.moved.push(key);
    device.values[key] = { value, timestamp };
    if (key !== firstNumber(device)) continue;
    if (held?.timestamp === timestamp) device.points.pop();
    device.points = [...device.points, value].slice(-POINTS);
  }
}

const firstNumber = (device) =>
  Object.keys(device.values).find((key) => typeof device.values[key].value === "number" && !COUNTERS.has(key));

let loading = null; // several notices in a row lead to one loading
const later = () => { clearTimeout(loading); loading = setTimeout(reload, 400); };

const HEARD = {
  "telemetry:new": ({ deviceId, metrics, timestamp, receivedAt }) => {
    const device = state.devices.get(deviceId);
    if (!device) return later();
    take(device, metrics, timestamp);
    if (!(Date.parse(device.lastSeen) > Date.parse(receivedAt))) device.lastSeen = receivedAt;
    drawDevice(device);
  },
  "device:status": ({ deviceId, status, lastSeen }) => {
    const device = state.devices.get(deviceId);
    if (!device) return later();
    device.connectivityStatus = status;
    device.lastSeen = lastSeen || device.lastSeen;
    drawDevice(device);
    drawTotals();
  },
  "asset:healthscore": ({ assetId, healthScore }) => {
    const asset = state.assets.get(assetId);
    if (!asset) return later();
    asset.healthScore = healthScore;
    drawAssets();
  },
  "alarm:raised": later,
  "alarm:returned": ({ alarmId }) => changeAlarm(alarmId, { active: false }),
  "alarm:acknowledged": ({ alarmId }) => changeAlarm(alarmId, { acknowledged: true }),
  "alarm:repeated": later,
  "alarm:reopened": later,
  "alarm:suppressed": ({ alarmId }) => closeAlarm(alarmId),
  "alarm:unsuppressed": later,
  "alarm:superseded": ({ alarmId }) => closeAlarm(alarmId),
  "alarm:dismissed": ({ alarmId }) => closeAlarm(alarmId),
  "activity:created": later,
  "activity:updated": later,
  "feed:dropped": ({ reason }) => trouble(`The live feed was interrupted: ${reason}`),
};

function closeAlarm(id) {
  if (state.alarms.delete(id)) drawAlarms();
}

function changeAlarm(id, change) {
  const alarm = state.alarms.get(id);
  if (!alarm) return;
  Object.assign(alarm, change);
  if (!alarm.active && alarm.acknowledged) state.alarms.delete(id);
  drawAlarms();
}

// ---- drawing ----

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node[name] = value;
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const number = (value) => (typeof value === "number" ? value.toLocaleString(undefined, { maximumFractionDigits: 2 }) : String(value));

function ago(time) {
  if (!time) return "never";
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 90) return `${Math.round(seconds)} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86400)} d ago`;
}

const since = (time) => element("time", { datetime: time, title: time ? new Date(time).toLocaleString() : "" }, ago(time));

function spark(points) {
  const name = "http" + "://www.w3.org/2000/svg"; // a name, not an address: nothing is loaded
  const svg = document.createElementNS(name, "svg");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", "0 0 100 24");
  svg.setAttribute("preserveAspectRatio", "none");
  if (points.length > 1) {
    const low = Math.min(...points);
    const span = Math.max(...points) - low || 1;
    const line = document.createElementNS(name, "polyline");
    const at = (value, index) => `${(index * 100) / (points.length - 1)},${22 - ((value - low) * 20) / span}`;
    line.setAttribute("points", points.map(at).join(" "));
    svg.append(line);
  }
  return svg;
}

function drawDevice(device) {
  const status = device.connectivityStatus;
  const values = Object.entries(device.values).filter(([key]) => !COUNTERS.has(key)).slice(0, 6).map(([key, { value }]) =>
    element("span", { class: device.moved?.includes(key) && "moved" }, `${key} `, element("b", {}, number(value))));
  const row = element("tr", { id: `device-${device.id}` },
    element("td", {}, element("span", { class: `dot ${status}` }, status)),
    element("td", { class: "name", title: device.serialNumber }, device.name),
    element("td", {}, since(device.lastSeen)),
    element("td", { class: "values" }, ...(values.length ? values : [element("span", { class: "soft" }, "nothing yet")])),
    element("td", {}, spark(device.points)));
  const present = $(row.id);
  if (present) present.replaceWith(row);
  else $("devices").append(row);
}

function list(id, items, draw) {
  $(id).replaceChildren(...items.map(draw));
  $(id).parentElement.querySelector(".empty").hidden = items.length > 0;
  $(`${id}-count`).textContent = items.length || "";
}

function drawAlarms() {
  const mayAcknowledge = state.user.role !== "viewer";
  list("alarms", [...state.alarms.values()], (alarm) => element("li", {},
    element("span", { class: `pill ${alarm.severity}` }, alarm.severity),
    element("div", {}, element("strong", {}, alarm.ruleName), element("br"),
      element("span", { class: "soft" }, `${alarm.entityName || alarm.entityType}: ${alarm.metricKey} ${number(alarm.value)}, `, since(alarm.raisedAt),
        alarm.active ? "" : ", back to normal")),
    alarm.acknowledged ? element("span", { class: "soft" }, "acknowledged")
      : mayAcknowledge ? element("button", { class: "quiet", type: "button", onclick: (event) => acknowledge(alarm, event.target) }, "Acknowledge") : ""));
  drawTotals();
}

async function acknowledge(alarm, button) {
  button.disabled = true;
  try {
    await post(`/alarms/${alarm.id}/acknowledge`, {});
    changeAlarm(alarm.id, { acknowledged: true });
    trouble("");
  } catch (failure) {
    trouble(`Acknowledging failed: ${failure.message}`);
    button.disabled = false;
  }
}

function drawAssets() {
  const scored = [...state.assets.values()].sort((a, b) => (a.healthScore ?? 101) - (b.healthScore ?? 101));
  list("assets", scored, (asset) => {
    const score = asset.healthScore;
    const word = score === undefined || score === null ? "not scored" : score >= 80 ? "good" : score >= 50 ? "fair" : "poor";
    return element("li", {}, element("div", {}, asset.name),
      word === "not scored" ? "" : element("meter", { min: 0, max: 100, low: 50, high: 80, optimum: 100, value: score, "aria-label": `${asset.name} health` }),
      element("span", { class: `pill ${word === "not scored" ? "paused" : word}` }, word === "not scored" ? word : `${score} ${word}`));
  });
}

function drawActivities() {
  list("activities", [...state.activities.values()], (activity) => element("li", {},
    element("span", { class: `pill ${activity.priority}` }, activity.priority),
    element("div", {}, element("strong", {}, activity.name), element("br"),
      element("span", { class: "soft" }, `${activity.targetName || activity.targetType}${activity.assignedRole ? `, ${activity.assignedRole}` : ""}, `, since(activity.createdAt))),
    element("span", { class: `pill ${activity.status}` }, activity.status.replace("_", " "))));
}

function drawTotals() {
  const online = [...state.devices.values()].filter((device) => device.connectivityStatus === "online").length;
  const unseen = [...state.alarms.values()].filter((alarm) => !alarm.acknowledged).length;
  const total = (value, word) => element("li", {}, element("b", {}, String(value)), word);
  $("totals").replaceChildren(total(state.totals.devices, "devices"), total(online, "online"), total(state.totals.assets, "assets"),
    total(state.alarms.size, "open alarms"), total(unseen, "not acknowledged"));
}

function drawAll() {
  $("devices").replaceChildren();
  state.devices.forEach(drawDevice);
  $("devices").closest("section").querySelector(".empty").hidden = state.devices.size > 0;
  const { devices } = state.totals;
  $("devices-count").textContent = devices > state.devices.size ? `${state.devices.size} of ${devices}` : devices || "";
  drawAlarms();
  drawAssets();
  drawActivities();
}

setInterval(() => {
  for (const time of document.querySelectorAll("time[datetime]")) time.textContent = ago(time.getAttribute("datetime"));
}, 1000);

$("sign-in").addEventListener("submit", signIn);
$("sign-out").addEventListener("click", leave);
$("organization").addEventListener("change", chooseOrganization);
show("loading");
renew(null).then((renewed) => (renewed ? begin() : show("sign-in"))).catch((failure) => signOut(failure.message));
