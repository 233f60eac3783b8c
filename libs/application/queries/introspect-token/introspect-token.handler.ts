import { Inject } from '@nestjs/common';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { AccessTokenClaims } from '#contracts';
import { hasExpired, isSid, type SessionState } from '#domain';
import type { Caller } from '../../caller.js';
import { ACCESS_TOKEN_SIGNER, type AccessTokenSigner } from '../../ports/keys.port.js';
import { LIVE_REVOCATIONS, type LiveRevocations } from '../../ports/live-revocations.port.js';
import { REFERENCE_CLOCK, type ReferenceClock } from '../../ports/reference-clock.port.js';
import { SessionRepository } from '../../session-repository.js';
import { SESSION_SETTINGS, type SessionSettings } from '../../settings.js';
import { mayReach } from '../../tenancy.js';
import { IntrospectToken, type Introspection } from './introspect-token.query.js';

const EVERY_AUDIENCE = '*';

@QueryHandler(IntrospectToken)
export class IntrospectTokenHandler implements IQueryHandler<IntrospectToken> {
  constructor(
    @Inject(ACCESS_TOKEN_SIGNER) private readonly signer: AccessTokenSigner,
    private readonly sessions: SessionRepository,
    @Inject(LIVE_REVOCATIONS) private readonly revocations: LiveRevocations,
    @Inject(REFERENCE_CLOCK) private readonly clock: ReferenceClock,
    @Inject(SESSION_SETTINGS) private readonly settings: SessionSettings,
  ) {}

  async execute({ context, token }: IntrospectToken): Promise<Introspection> {
    const claims = this.signer.verify(token);
    const state =
      claims && this.concerns(claims, context.caller)
        ? (await this.sessions.load(claims.sid)).state
        : undefined;
    // The age first: the deny-list below then holds at least what that barrier showed.
    const barrierAgeMs = Math.ceil(this.clock.barrierAge());
    if (!claims || !state || !this.isAlive(state, claims)) return { active: false, barrierAgeMs };
    return { active: true, claims, barrierAgeMs };
  }

  private concerns(claims: AccessTokenClaims, caller: Caller): boolean {
    const ours = claims.iss === this.settings.issuer && isSid(claims.sid);
    const audience = caller.audiences.includes(EVERY_AUDIENCE) || caller.audiences.includes(claims.aud);
    return ours && audience && mayReach(caller, claims.tenant);
  }

  private isAlive(state: SessionState, claims: AccessTokenClaims): boolean {
    const now = this.clock.now();
    return (
      state.status === 'open' &&
      !hasExpired(state, now) &&
      now < claims.exp * 1000 &&
      claims.gen <= state.gen &&
      state.facts.tenant === claims.tenant &&
      !this.revocations.isRevoked(claims.tenant, claims.sid)
    );
  }
}
