import { Inject } from '@nestjs/common';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { AccessTokenClaims } from '#contracts';
import { FIRST_EPOCHS, hasExpired, isSid, survivesAll } from '#domain';
import type { Caller } from '../../caller.js';
import { ACCESS_TOKEN_SIGNER, type AccessTokenSigner } from '../../ports/keys.port.js';
import { LIVE_REVOCATIONS, type LiveRevocations } from '../../ports/live-revocations.port.js';
import { REFERENCE_CLOCK, type ReferenceClock } from '../../ports/reference-clock.port.js';
import { SessionRepository, type LoadedSession } from '../../session-repository.js';
import { SESSION_SETTINGS, type SessionSettings } from '../../settings.js';
import { SharedPlaces } from '../../shared-places.js';
import { mayReach } from '../../tenancy.js';
import { IntrospectToken, type Introspection } from './introspect-token.query.js';

const EVERY_AUDIENCE = '*';
/** More are refused at once, so that they do not starve what makes nodes fresh again. */
const MOST_UNDER_WAY = 256;
/** A caller's bound may be 250 ms, and the age of the answer is taken off it. */
const FRESH_ENOUGH_MS = 100;

@QueryHandler(IntrospectToken)
export class IntrospectTokenHandler implements IQueryHandler<IntrospectToken> {
  private readonly places = new SharedPlaces(MOST_UNDER_WAY);

  constructor(
    @Inject(ACCESS_TOKEN_SIGNER) private readonly signer: AccessTokenSigner,
    private readonly sessions: SessionRepository,
    @Inject(LIVE_REVOCATIONS) private readonly revocations: LiveRevocations,
    @Inject(REFERENCE_CLOCK) private readonly clock: ReferenceClock,
    @Inject(SESSION_SETTINGS) private readonly settings: SessionSettings,
  ) {}

  execute(query: IntrospectToken): Promise<Introspection> {
    return this.places.run(query.context.caller.keyId, () => this.introspect(query));
  }

  private async introspect({ context, token }: IntrospectToken): Promise<Introspection> {
    const claims = this.signer.verify(token);
    const session =
      claims && this.concerns(claims, context.caller) ? await this.loadFresh(claims.sid) : undefined;
    // The age first: the deny-list below then holds at least what that barrier showed.
    const barrierAgeMs = Math.ceil(this.clock.barrierAge());
    if (!claims || !session || !this.isAlive(session, claims)) return { active: false, barrierAgeMs };
    return { active: true, claims, barrierAgeMs };
  }

  /** The barrier and the read, side by side. Without revocations from anybody the last barrier may be a second old. */
  private async loadFresh(sid: string): Promise<LoadedSession | undefined> {
    const old = this.clock.barrierAge() > FRESH_ENOUGH_MS;
    const [session] = await Promise.all([this.sessions.load(sid), old && this.revocations.freshen()]);
    return session;
  }

  private concerns(claims: AccessTokenClaims, caller: Caller): boolean {
    const ours = claims.iss === this.settings.issuer && isSid(claims.sid);
    const audience = caller.audiences.includes(EVERY_AUDIENCE) || caller.audiences.includes(claims.aud);
    return ours && audience && mayReach(caller, claims.tenant);
  }

  private isAlive({ state, scopes }: LoadedSession, claims: AccessTokenClaims): boolean {
    const now = this.clock.now();
    const { tenant, sub, sid, client_id: client, ep = FIRST_EPOCHS } = claims;
    return (
      state.status === 'open' &&
      !hasExpired(state, now) &&
      now < claims.exp * 1000 &&
      claims.gen <= state.gen &&
      state.facts.tenant === tenant &&
      survivesAll(scopes, ep, sid) &&
      survivesAll(scopes, state.ep, sid) &&
      !this.revocations.isRevoked({ tenant, sub, client, sid, ep })
    );
  }
}
