import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { CallContext } from '#application';
import { CurfewError } from '#contracts';
import { accessOf, type Access } from './access.js';
import { Authenticator } from './authenticator.js';
import { correlationIdOf, incomingCall, rememberContext, type IncomingCall } from './call-context.js';

/** The one guard of both doors: authenticates the API key and checks the scope that the method names. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(private readonly authenticator: Authenticator) {}

  /** @throws CurfewError ERR_UNAUTHENTICATED, ERR_FORBIDDEN, ERR_UNAVAILABLE */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = accessOf(context.getHandler());
    if (access?.kind === 'public') return true;
    await this.admit(incomingCall(context), access);
    return true;
  }

  /** The same for what Nest does not route (gRPC reflection). */
  async admit(call: IncomingCall, access: Access | undefined): Promise<CallContext> {
    const correlationId = correlationIdOf(call);
    const caller = await this.authenticator.authenticate(call.header('authorization'));
    const allowed =
      access?.kind === 'any-key' ||
      (access?.kind === 'scope' && access.scopes.some((scope) => caller.scopes.includes(scope)));
    if (!allowed) {
      const detail =
        access?.kind === 'scope'
          ? `needs the scope ${access.scopes.join(' or ')}`
          : 'is open to nobody: it names no scope';
      throw new CurfewError('ERR_FORBIDDEN', { detail });
    }
    const admitted = { caller, correlationId };
    rememberContext(call, admitted);
    return admitted;
  }
}
