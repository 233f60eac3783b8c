import { randomUUID } from 'node:crypto';
import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { CurfewError } from '#contracts';
import { hashApiKeySecret, newApiKeySecret } from '../../api-key-secret.js';
import { API_KEYS, type ApiKeys } from '../../ports/api-keys.port.js';
import { REFERENCE_CLOCK, type ReferenceClock } from '../../ports/reference-clock.port.js';
import { SESSION_SETTINGS, type SessionSettings } from '../../settings.js';
import { mayManage } from '../../tenancy.js';
import { CreateApiKey, type CreatedApiKey } from './create-api-key.command.js';

const DEFAULT_TENANT = 'default';

@CommandHandler(CreateApiKey)
export class CreateApiKeyHandler implements ICommandHandler<CreateApiKey> {
  constructor(
    @Inject(API_KEYS) private readonly keys: ApiKeys,
    @Inject(REFERENCE_CLOCK) private readonly clock: ReferenceClock,
    @Inject(SESSION_SETTINGS) private readonly settings: SessionSettings,
  ) {}

  async execute({ context, input }: CreateApiKey): Promise<CreatedApiKey> {
    const tenants = input.tenants ?? [DEFAULT_TENANT];
    if (!mayManage(context.caller, tenants)) {
      throw new CurfewError('ERR_FORBIDDEN', {
        detail: 'a key may not reach further than its maker',
        field: 'tenants',
      });
    }
    const { audiences = [this.settings.audience] } = input;
    if (!isWithin(audiences, context.caller.audiences)) {
      throw new CurfewError('ERR_FORBIDDEN', {
        detail: 'a key may not reach further than its maker',
        field: 'audiences',
      });
    }
    const key = newApiKeySecret();
    const record = {
      id: randomUUID(),
      name: input.name,
      scopes: input.scopes,
      tenants,
      audiences,
      createdAt: this.clock.now(),
      createdBy: context.caller.keyId,
    };
    await this.keys.insert(record, hashApiKeySecret(key));
    return { ...record, key };
  }
}

const isWithin = (asked: readonly string[], held: readonly string[]): boolean =>
  held.includes('*') || asked.every((audience) => held.includes(audience));
