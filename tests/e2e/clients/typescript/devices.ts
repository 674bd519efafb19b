// Signs in, creates a device and lists the devices; all types come from the API's OpenAPI document.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

const [base, email, password] = process.argv.slice(2);
if (!base || !email || !password) throw new Error("usage: devices.js BASE EMAIL PASSWORD");

const client = createClient<paths>({ baseUrl: `${base}/api/v1` });

/** The response to a command that is stored but not visible yet; this client treats it as an error. */
type Stored = components["schemas"]["Stored"];

/** Returns the data of a response; throws its problem, or a `Stored` response, as an error. */
function dataOf<T>(answer: { data?: T; error?: unknown }): Exclude<T, Stored> {
  if (answer.data === undefined || "stored" in (answer.data as object)) {
    throw new Error(JSON.stringify(answer.error ?? answer.data));
  }
  return answer.data as Exclude<T, Stored>;
}

const session = dataOf(await client.POST("/auth/login", { body: { email, password } }));
client.use({
  onRequest: ({ request }) => request.headers.set("authorization", `Bearer ${session.accessToken}`),
});

const { deviceType } = dataOf(
  await client.POST("/device-types", { body: { name: "Sensor", metrics: [{ key: "temperature" }] } }),
);
const body = { name: "Boiler", serialNumber: "TS-1", deviceTypeId: deviceType.id };
const { device } = dataOf(
  await client.POST("/devices", { params: { header: { "Idempotency-Key": "boiler" } }, body }),
);
const list = dataOf(await client.GET("/devices", { params: { query: { status: "active", limit: 10 } } }));
const names: string[] = list.devices.map((one) => `${one.name} ${one.serialNumber} ${one.id === device.id}`);
console.log(JSON.stringify({ total: list.total, names }));

const refused = await client.GET("/devices/{id}", { params: { path: { id: "00000000-0000-0000-0000-000000000000" } } });
console.log(JSON.stringify({ status: refused.response.status, type: refused.error?.type }));
