import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CurfewError, type AccessTokenClaims, type IssuedSession } from '#contracts';
import {
  deadlineOf,
  encodeRefreshToken,
  type Generation,
  type OpenSession,
  type SessionFacts,
} from '#domain';
import type { CommandTime } from './command-time.js';
import {
  ACCESS_TOKEN_SIGNER,
  PERSONAL_DATA_VAULT,
  REFRESH_TOKEN_KEYS,
  type AccessTokenSigner,
  type PersonalDataVault,
  type RefreshTokenKeys,
} from './ports/keys.port.js';
import type { Position } from './ports/event-log.port.js';
import { SESSION_SETTINGS, type SessionSettings } from './settings.js';

/** So that it fits a cookie with its name and attributes (DESIGN §6). Bytes. */
const MAX_ACCESS_TOKEN_BYTES = 3_500;
/** Header, signature and dots of a compact ES256 JWS with a 43-byte `kid`, and room for a growing `gen`. */
const JWS_OVERHEAD_BYTES = 240;

export interface Issue {
  readonly time: CommandTime;
  readonly sid: string;
  readonly session: Pick<OpenSession, 'facts' | 'lastActiveAt' | 'ep'>;
  readonly generation: Pick<Generation, 'gen' | 'macKeyId' | 'accessExp'>;
  readonly secret: Uint8Array;
  readonly position: Position;
}

/** Makes the answer to create and refresh. */
@Injectable()
export class SessionIssuer {
  constructor(
    @Inject(ACCESS_TOKEN_SIGNER) private readonly signer: AccessTokenSigner,
    @Inject(REFRESH_TOKEN_KEYS) private readonly refreshKeys: RefreshTokenKeys,
    @Inject(PERSONAL_DATA_VAULT) private readonly vault: PersonalDataVault,
    @Inject(SESSION_SETTINGS) private readonly settings: SessionSettings,
  ) {}

  /** @throws CurfewError ERR_CLAIMS_TOO_LARGE when the access token would be longer than 3,500 bytes. */
  assertFits(facts: SessionFacts, claims: Readonly<Record<string, unknown>> | undefined): void {
    const payload = this.claimsOf(facts, claims, {
      sid: '0'.repeat(32),
      gen: 0,
      iat: 1e10,
      exp: 1e10,
      ep: [1e9, 1e9, 1e9, 1e9],
    });
    const encoded = Math.ceil((Buffer.byteLength(JSON.stringify(payload)) * 4) / 3);
    if (encoded + JWS_OVERHEAD_BYTES > MAX_ACCESS_TOKEN_BYTES) throw new CurfewError('ERR_CLAIMS_TOO_LARGE');
  }

  /**
   * Encodes the refresh token and, unless the command is too old or the generation's access token has expired, signs an
   * access token. The age is looked at as the last thing: a process that was paused issues nothing that outlives what the
   * nodes remember (DESIGN §4.4).
   */
  async issue(issue: Issue): Promise<IssuedSession> {
    const { sid, session, generation, time } = issue;
    const macKey = this.refreshKeys.macKey(generation.macKeyId);
    if (!macKey) throw new Error(`MAC key ${generation.macKeyId} is missing`);
    const answer: IssuedSession = {
      sid,
      refreshToken: encodeRefreshToken({ ...generation, sid, secret: issue.secret }, macKey),
      refreshExpiresAt: Math.floor(deadlineOf(session).at / 1000),
      gen: generation.gen,
      position: issue.position,
    };
    const claims = await this.customClaims(session.facts);
    const iat = Math.floor(time.now / 1000);
    if (generation.accessExp <= iat || time.isLate()) return answer;
    const accessToken = this.signer.sign(
      this.claimsOf(session.facts, claims, {
        sid,
        gen: generation.gen,
        iat,
        exp: generation.accessExp,
        ...(session.ep.every((epoch) => epoch === 0) ? {} : { ep: session.ep }),
      }),
    );
    return time.isLate() ? answer : { ...answer, accessToken, accessExpiresAt: generation.accessExp };
  }

  private async customClaims(facts: SessionFacts): Promise<Readonly<Record<string, unknown>> | undefined> {
    if (!facts.claims) return undefined;
    const claims = await this.vault.unseal(facts.tenant, facts.sub, facts.claims);
    return claims as Readonly<Record<string, unknown>> | undefined;
  }

  private claimsOf(
    facts: SessionFacts,
    claims: Readonly<Record<string, unknown>> | undefined,
    token: Pick<AccessTokenClaims, 'sid' | 'gen' | 'iat' | 'exp' | 'ep'>,
  ): AccessTokenClaims {
    return {
      iss: this.settings.issuer,
      aud: this.settings.audience,
      sub: facts.sub,
      client_id: facts.client,
      jti: randomUUID(),
      ...token,
      auth_time: facts.authTime,
      ...(facts.acr === undefined ? {} : { acr: facts.acr }),
      ...(facts.amr === undefined ? {} : { amr: facts.amr }),
      tenant: facts.tenant,
      ...(facts.roles.length === 0 ? {} : { roles: facts.roles }),
      ...(claims === undefined ? {} : { claims }),
    };
  }
}
