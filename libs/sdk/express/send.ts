import type { Response } from 'express';
import { VARY, type Answer } from '../browser-session/answer.js';
import type { CookieChange } from '../browser-session/cookies.js';

/** Sets the cookies, in place of earlier ones of the same names; cookies of others stay. */
export function setCookies(response: Response, changes: readonly CookieChange[]): void {
  if (changes.length === 0) return;
  const before = response.getHeader('Set-Cookie') ?? [];
  const others = (Array.isArray(before) ? before : [String(before)]).filter((header) =>
    changes.every(({ name }) => !header.startsWith(`${name}=`)),
  );
  response.setHeader('Set-Cookie', [...others, ...changes.map(({ header }) => header)]);
  response.setHeader('Cache-Control', 'no-store');
}

/** Sends the answer. Where something else has begun to answer already, it is left alone. */
export function send(response: Response, answer: Answer): void {
  if (response.headersSent) return;
  response.status(answer.status).vary(VARY);
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  setCookies(response, answer.cookies);
  response.end(answer.body);
}
