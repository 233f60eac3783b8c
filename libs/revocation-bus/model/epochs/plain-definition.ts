import { holds, scopesOf, scopeStream, type PerScope, type ScopeRef } from '#domain';

/** What a session belongs to. */
export interface Member {
  readonly tenant: string;
  readonly sub: string;
  readonly client: string;
}

interface Life {
  readonly member: Member;
  /** For each scope the number of the first revocation that did not spare the session. */
  readonly endedBy: (number | undefined)[];
}

/**
 * "Excepted in every epoch since", taken literally: it keeps what each caller asked for and counts the revocations of a scope.
 * It knows neither `ep` nor `from`, and no refresh changes anything in it.
 */
export class PlainDefinition {
  private readonly lives = new Map<string, Life>();
  private readonly counts = new Map<string, number>();

  /** How many revocations of the scope there have been. */
  countOf(scope: ScopeRef): number {
    return this.counts.get(scopeStream(scope)) ?? 0;
  }

  /** @param seen how many revocations of each scope the creation had read when it decided: later ones end what it makes */
  created(sid: string, member: Member, seen: PerScope<number>): void {
    const endedBy = scopesOf(member).map((scope, i) =>
      this.countOf(scope) > seen[i]! ? seen[i]! + 1 : undefined,
    );
    this.lives.set(sid, { member, endedBy });
  }

  /** @returns the number of this revocation in its scope, from 1 */
  revoked(scope: ScopeRef, spared: readonly string[]): number {
    const number = this.countOf(scope) + 1;
    this.counts.set(scopeStream(scope), number);
    for (const [sid, { member, endedBy }] of this.lives) {
      if (!holds(scope, member) || spared.includes(sid)) continue;
      const at = scopesOf(member).findIndex(({ kind }) => kind === scope.kind);
      endedBy[at] ??= number;
    }
    return number;
  }

  /** Whether the session lives for somebody who knows that many revocations of each scope. */
  isAlive(sid: string, known: (scope: ScopeRef) => number): boolean {
    const life = this.lives.get(sid);
    if (!life) throw new Error(`no session ${sid}`);
    const { member, endedBy } = life;
    return scopesOf(member).every((scope, i) => endedBy[i] === undefined || endedBy[i] > known(scope));
  }
}
