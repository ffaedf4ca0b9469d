// The generated types, and the few lines that a frontend team would write around them.
import createClient, { type Client, type Middleware } from "openapi-fetch";
import type { components, paths } from "./pelatis.js";

export type Pelatis = Client<paths>;
export type Problem = components["schemas"]["Problem"];
export type ClientRecord = components["schemas"]["Client"];
export type ClientPatch = components["schemas"]["ClientPatch"];

/** An answer that was a failure, with what the server said of it. */
export class Failure extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.status} ${problem.code}: ${problem.detail ?? problem.title}`);
    this.problem = problem;
  }
}

export function connect(baseUrl: string, accessToken?: string): Pelatis {
  // Lists of words are one parameter, `sort=-created_at,name` (`explode: false` in the document).
  const querySerializer = { array: { style: "form", explode: false } } as const;
  const client = createClient<paths>({ baseUrl, querySerializer });
  if (accessToken !== undefined) {
    const bearer: Middleware = {
      onRequest({ request }) {
        request.headers.set("authorization", `Bearer ${accessToken}`);
        return request;
      },
    };
    client.use(bearer);
  }
  return client;
}

export async function signIn(baseUrl: string, email: string, password: string): Promise<Pelatis> {
  const { data, error } = await connect(baseUrl).POST("/v1/auth/login", { body: { email, password, kind: "app" } });
  if (error !== undefined) throw new Failure(error);
  return connect(baseUrl, data.access_token);
}

/** All clients whose names begin so, in the order of their names, page by page. */
export async function* pages(pelatis: Pelatis, prefix: string, limit: number): AsyncGenerator<ClientRecord[]> {
  let cursor: string | undefined;
  do {
    const { data, error } = await pelatis.GET("/v1/clients", {
      params: { query: { sort: ["name"], "name[like]": `${prefix}%`, limit, ...(cursor === undefined ? {} : { cursor }) } },
    });
    if (error !== undefined) throw new Failure(error);
    yield data.data;
    cursor = data.page.has_more ? (data.page.next_cursor ?? undefined) : undefined;
  } while (cursor !== undefined);
}

/** A client and the state that it is in. */
export async function read(pelatis: Pelatis, id: string): Promise<{ client: ClientRecord; etag: string }> {
  const { data, error, response } = await pelatis.GET("/v1/clients/{client_id}", { params: { path: { client_id: id } } });
  if (error !== undefined) throw new Failure(error);
  const etag = response.headers.get("etag");
  if (etag === null) throw new Error("a single record has no ETag");
  return { client: data, etag };
}

/** Changes a client if it is still in that state. */
export async function patch(pelatis: Pelatis, id: string, etag: string, body: ClientPatch): Promise<ClientRecord> {
  const { data, error } = await pelatis.PATCH("/v1/clients/{client_id}", {
    params: { path: { client_id: id }, header: { "If-Match": etag } },
    body,
  });
  if (error !== undefined) throw new Failure(error);
  return data;
}

/** Changes a client that others change too: whoever was overtaken (412) reads again and decides anew. Returns the number of attempts. */
export async function change(
  pelatis: Pelatis,
  id: string,
  known: { client: ClientRecord; etag: string },
  decide: (client: ClientRecord) => ClientPatch,
): Promise<{ client: ClientRecord; attempts: number }> {
  let { client, etag } = known;
  for (let attempts = 1; attempts <= 5; attempts += 1) {
    try {
      return { client: await patch(pelatis, id, etag, decide(client)), attempts };
    } catch (failure) {
      if (!(failure instanceof Failure) || failure.problem.status !== 412) throw failure;
      ({ client, etag } = await read(pelatis, id));
    }
  }
  throw new Error("overtaken five times");
}
