import { Inject } from '@nestjs/common';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { API_KEYS, type ApiKeyRecord, type ApiKeys } from '../../ports/api-keys.port.js';
import { mayManage } from '../../tenancy.js';
import { ListApiKeys } from './list-api-keys.query.js';

@QueryHandler(ListApiKeys)
export class ListApiKeysHandler implements IQueryHandler<ListApiKeys> {
  constructor(@Inject(API_KEYS) private readonly keys: ApiKeys) {}

  async execute({ context }: ListApiKeys): Promise<readonly ApiKeyRecord[]> {
    const keys = await this.keys.list();
    return keys.filter((key) => mayManage(context.caller, key.tenants));
  }
}
