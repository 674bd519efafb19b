"use strict";
// The built-in page: asking the API, signing in and out, choosing an organisation. What the board shows is in app.js, which
// is loaded after this.

// ---- asking ----

class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `The server answered ${status}.`);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  const headers = { ...(options.body && { "content-type": "application/json" }) };
  const used = state.token;
  if (used) headers.authorization = `Bearer ${used}`;
  if (used && state.organization) headers["x-organization"] = state.organization;
  const response = await fetch(`api/v1${path}`, { ...options, headers });
  const body = await response.json().catch(() => ({}));
  if (response.status === 401 && used) {
    if (!options.again && (await renew(used))) return ask(path, { ...options, again: true });
    signOut("Your session has ended. Please sign in again.");
  }
  if (!response.ok) throw new Refusal(response.status, body);
  return body;
}

const post = (path, body) => ask(path, { method: "POST", body: JSON.stringify(body) });

// ---- signing in and out ----

// Exchanges the refresh token, which is in a cookie that no script can read, for an access token. Each is good once: one
// exchange at a time, in all tabs of the browser.
let renewing = null;

function renew(used) {
  if (used !== state.token) return Promise.resolve(Boolean(state.token));
  const exchange = async () => {
    const response = await fetch("api/v1/auth/refresh", { method: "POST" });
    if (!response.ok) return false;
    state.token = (await response.json()).accessToken;
    return true;
  };
  const alone = () => (navigator.locks ? navigator.locks.request("argusiq-refresh", exchange) : exchange());
  renewing ??= alone().catch(() => false).finally(() => { renewing = null; });
  return renewing;
}

function show(id) {
  for (const part of ["sign-in", "board", "loading"]) $(part).hidden = part !== id;
}

function signOut(reason = "") {
  sessionStorage.removeItem("organization");
  state.token = state.user = state.organization = feed.position = null;
  clearTimeout(feed.timer);
  feed.socket?.close();
  feed.socket = null;
  $("feed").hidden = $("sign-out").hidden = $("organization").hidden = true;
  $("who").textContent = "";
  const error = $("sign-in").querySelector(".error");
  error.textContent = reason;
  error.hidden = !reason;
  show("sign-in");
}

async function signIn(event) {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  const error = form.querySelector(".error");
  button.disabled = true;
  error.hidden = true;
  try {
    const answer = await post("/auth/login", { email: form.email.value, password: form.password.value });
    form.reset();
    state.token = answer.accessToken;
    await begin();
  } catch (failure) {
    error.textContent = failure.message;
    error.hidden = false;
  } finally {
    button.disabled = false;
  }
}

async function begin() {
  show("loading");
  state.user = await ask("/auth/me");
  state.organization = null;
  if (state.user.role === "platform_admin") await offerOrganizations();
  $("who").textContent = `${state.user.name} (${state.user.role.replace("_", " ")})`;
  $("sign-out").hidden = false;
  await load();
  show("board");
  connect();
}

async function leave() {
  await fetch("api/v1/auth/logout", { method: "POST" }).catch(() => null);
  signOut();
}

// A platform administrator may act in any organisation.
async function offerOrganizations() {
  const { organizations } = await ask("/organizations?limit=500");
  const choice = $("organization");
  choice.replaceChildren(...organizations.map(({ id, name, status }) =>
    element("option", { value: id }, status === "active" ? name : `${name} (${status})`)));
  const kept = sessionStorage.getItem("organization");
  choice.value = organizations.some(({ id }) => id === kept) ? kept : state.user.organizationId;
  choice.hidden = organizations.length < 2;
  state.organization = choice.value;
}

async function chooseOrganization(event) {
  state.organization = event.target.value;
  sessionStorage.setItem("organization", state.organization);
  feed.position = null;
  feed.socket?.close();
  feed.socket = null;
  state.devices.clear();
  await reload();
  connect();
}
