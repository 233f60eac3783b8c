import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { CurfewError } from '#contracts';
import { API_KEYS, type ApiKeys } from '../../ports/api-keys.port.js';
import { REFERENCE_CLOCK, type ReferenceClock } from '../../ports/reference-clock.port.js';
import { mayManage } from '../../tenancy.js';
import { RevokeApiKey } from './revoke-api-key.command.js';

@CommandHandler(RevokeApiKey)
export class RevokeApiKeyHandler implements ICommandHandler<RevokeApiKey> {
  constructor(
    @Inject(API_KEYS) private readonly keys: ApiKeys,
    @Inject(REFERENCE_CLOCK) private readonly clock: ReferenceClock,
  ) {}

  async execute({ context, id }: RevokeApiKey): Promise<void> {
    const key = (await this.keys.list()).find((candidate) => candidate.id === id);
    if (!key || !mayManage(context.caller, key.tenants)) throw new CurfewError('ERR_NOT_FOUND');
    await this.keys.revoke(id, this.clock.now());
  }
}
