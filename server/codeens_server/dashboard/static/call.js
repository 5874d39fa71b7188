// How pages ask the API.

/** Returns what the API answers; what it refuses is thrown in its own words. */
export async function call(path, method, body) {
  const init = { method, headers: { "Content-Type": "application/json" } };
  if (body !== undefined) init.body = JSON.stringify(body);
  const answer = await fetch(path, init);
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error.message);
  return told;
}
