// Signs in, pages through clients, patches one, and is overtaken by somebody else. Everything that it sees, it asserts.
import assert from "node:assert/strict";
import { Failure, change, connect, pages, patch, read, signIn } from "./client.js";

function setting(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} is not set`);
  return value;
}

async function refusal(work: Promise<unknown>): Promise<{ status: number; code: string }> {
  try {
    await work;
  } catch (failure) {
    assert.ok(failure instanceof Failure, String(failure));
    assert.ok(failure.problem.request_id, "a problem names its request");
    return { status: failure.problem.status, code: failure.problem.code };
  }
  throw new assert.AssertionError({ message: "it was not refused" });
}

const base = setting("PELATIS_URL");
const email = setting("PELATIS_EMAIL");
const password = setting("PELATIS_PASSWORD");

// signing in
assert.deepEqual(await refusal(signIn(base, email, "not the password")), { status: 401, code: "invalid_credentials" });
assert.equal((await connect(base).GET("/v1/me")).error?.code, "unauthenticated");
const pelatis = await signIn(base, email, password);
const me = await pelatis.GET("/v1/me");
assert.equal(me.data?.user?.email, email);

// paging: seven clients on pages of three
const names = [1, 2, 3, 4, 5, 6, 7].map((number) => `Σελίδα ${number}`);
for (const name of [...names].reverse()) {
  const { data, error, response } = await pelatis.POST("/v1/clients", { body: { kind: "company", name } });
  assert.equal(error, undefined);
  assert.equal(response.headers.get("location"), `/v1/clients/${data?.id}`);
}
const seen: string[][] = [];
const ids: string[] = [];
for await (const page of pages(pelatis, "Σελίδα", 3)) {
  seen.push(page.map((client) => client.name));
  ids.push(...page.map((client) => client.id));
}
assert.deepEqual(seen.map((page) => page.length), [3, 3, 1]);
assert.deepEqual(seen.flat(), names);
assert.equal(new Set(ids).size, names.length, "no client came twice");
const tooMany = await pelatis.GET("/v1/clients", { params: { query: { limit: 201 } } });
assert.equal(tooMany.error?.status, 422);
assert.equal(tooMany.error?.errors?.[0]?.pointer, "?limit");

// changing one: what is left out stays, null clears
const [id] = ids;
assert.ok(id);
const first = await read(pelatis, id);
const changed = await patch(pelatis, id, first.etag, { legal_name: "Σελίδα ΑΕ", sector: "retail" });
assert.deepEqual([changed.name, changed.legal_name, changed.sector], [names[0], "Σελίδα ΑΕ", "retail"]);
const second = await read(pelatis, id);
assert.notEqual(second.etag, first.etag);
const cleared = await patch(pelatis, id, second.etag, { legal_name: null });
assert.deepEqual([cleared.legal_name ?? null, cleared.sector], [null, "retail"]);

// somebody else was faster: 412, read again, decide anew, and nothing of either is lost
const mine = await read(pelatis, id);
const colleague = await signIn(base, email, password);
const theirs = await patch(colleague, id, mine.etag, { sector: "shipping" });
assert.equal(theirs.sector, "shipping");
assert.deepEqual(await refusal(patch(pelatis, id, mine.etag, { website: "https://example.com" })), { status: 412, code: "stale" });
const retried = await change(pelatis, id, mine, (client) => ({ source: "referral", size: `${client.sector}: 10-50` }));
assert.equal(retried.attempts, 2);
assert.deepEqual([retried.client.sector, retried.client.size, retried.client.source], ["shipping", "shipping: 10-50", "referral"]);

// what nobody has
const nobody = await pelatis.GET("/v1/clients/{client_id}", { params: { path: { client_id: "01938f5c-4f2e-7cc3-98c4-dc0c0c070099" } } });
assert.equal(nobody.error?.status, 404);

console.log(`signed in, read ${seen.length} pages with ${ids.length} clients, changed one, and was overtaken once`);
