import type { RequestCurfew } from './request-curfew.js';

export {
  curfew,
  curfewErrors,
  renewSession,
  requireSession,
  type CurfewMiddleware,
  type ExpressOptions,
} from './adapter.js';
export { checkedReturnTo } from '../browser-session/return-to.js';
export type { SessionNode } from '../browser-session/facts.js';
export type { LoginInput, LoginResult } from '../browser-session/own-session.js';
export type { BrowserOptions } from '../browser-session/settings.js';
export type { OwnSessions, RequestCurfew } from './request-curfew.js';

declare global {
  // The way that @types/express gives to add to Request; a module augmentation would need its internal package to resolve.
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request {
      /** Set by `curfew()`. */
      readonly curfew: RequestCurfew;
    }
  }
}
