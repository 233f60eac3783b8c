import type { TokenSession } from '#application';
import type { ScopeRevocation } from '#contracts';
import { scopesOf, scopeStream, survives, type ScopeState } from '#domain';

type Epoch = Pick<ScopeState, 'epoch' | 'excepted'>;

interface Known extends Epoch {
  /** The entry that was applied last: the scope is forgotten with it. */
  readonly last: object;
}

const keyOf = ({ scope: kind, tenant, sub, client }: ScopeRevocation): string =>
  scopeStream({ kind, tenant, sub, client });

/**
 * What the mass revocations of every scope say together, applied by maximum: the highest epoch counts, with its exceptions
 * (DESIGN §5). Cost: one look-up a message, and one for each of a session's four scopes.
 */
export class ScopeEpochs {
  private readonly scopes = new Map<string, Known>();

  /** @param entry what `forget` will be called with */
  apply(revocation: ScopeRevocation, entry: object): void {
    const key = keyOf(revocation);
    const known = this.scopes.get(key);
    const { epoch, excepted } = known ? strictest(known, revocation) : revocation;
    this.scopes.set(key, { epoch, excepted, last: entry });
  }

  /** The scope is forgotten unless another message came after this one. */
  forget(revocation: ScopeRevocation, entry: object): void {
    const key = keyOf(revocation);
    if (this.scopes.get(key)?.last === entry) this.scopes.delete(key);
  }

  /** Whether a mass revocation that is known here ended the session. */
  haveEnded(session: TokenSession): boolean {
    if (this.scopes.size === 0) return false;
    return scopesOf(session).some((scope, i) => {
      const known = this.scopes.get(scopeStream(scope));
      return known !== undefined && !survives(known, session.ep[i]!, session.sid);
    });
  }
}

/**
 * What survives both. Of two messages of one history that is what the higher one says, for its map tells of the lower one too.
 * But two histories can meet here: a deposed primary may have shown an epoch that the log then gave out again (ADR 11), with
 * other exceptions; none of them may count that the other does not grant.
 */
function strictest(a: Epoch, b: Epoch): Epoch {
  const [high, low] = a.epoch > b.epoch ? [a, b] : [b, a];
  const excepted = Object.entries(high.excepted).map(([sid, from]) => [
    sid,
    Math.max(from, needed(low, sid)),
  ]);
  return { epoch: high.epoch, excepted: Object.fromEntries(excepted) as Epoch['excepted'] };
}

/** The epoch that a session must have seen to survive. */
const needed = ({ epoch, excepted }: Epoch, sid: string): number =>
  Object.hasOwn(excepted, sid) ? Math.min(epoch, excepted[sid]!) : epoch;
