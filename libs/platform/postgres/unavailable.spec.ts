import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { CurfewError } from '#contracts';
import { connectionSurvives, isConnectionFailure, unavailableIfConnection } from './unavailable.js';

const sqlError = (code: string): Error => Object.assign(new pg.DatabaseError('said', 4, 'error'), { code });
const nodeError = (code: string): Error => Object.assign(new Error(code), { code });

describe('errors of a connection', () => {
  it.each([
    ...['57P01', '57P03', '57014', '08006', '53300', '53100', '25006', '55P03', '40P01', '25P03'].map(
      sqlError,
    ),
    ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND'].map(nodeError),
    new Error('Connection terminated unexpectedly'),
    new Error('Query read timeout'),
    new Error('timeout exceeded when trying to connect'),
    new Error('Cannot use a pool after calling end on the pool'),
  ])('become ERR_UNAVAILABLE: %s', (error) => {
    expect(isConnectionFailure(error)).toBe(true);
    const mapped = unavailableIfConnection(error);
    expect(mapped).toBeInstanceOf(CurfewError);
    expect(mapped).toMatchObject({ code: 'ERR_UNAVAILABLE', cause: error });
  });

  it.each([
    ...['23505', '22P02', '42P01', '28P01', 'P0001'].map(sqlError),
    nodeError('ERR_INVALID_ARG_TYPE'),
    new TypeError('x is not a function'),
    new CurfewError('ERR_VALIDATION'),
    'a string',
    undefined,
  ])('are no defects or refusals: %s', (error) => {
    expect(unavailableIfConnection(error)).toBe(error);
  });

  it('end the session unless the server answered and keeps it', () => {
    expect(['23505', '57014', '53300', '40P01'].map(sqlError).map(connectionSurvives)).not.toContain(false);
    expect(['57P01', '57P02', '57P05', '08006', '25P03'].map(sqlError).map(connectionSurvives)).not.toContain(
      true,
    );
    expect(connectionSurvives(nodeError('ECONNRESET'))).toBe(false);
    expect(connectionSurvives(new Error('Query read timeout'))).toBe(false);
  });
});
