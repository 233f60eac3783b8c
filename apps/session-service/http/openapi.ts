import { Injectable, type INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { ProblemDoc } from '../dto/answers.js';

/** Of the contract, not of the service: it is the one in the paths. */
const API_VERSION = '1';

/** Holds the OpenAPI document, which can only be made once the application knows its routes. */
@Injectable()
export class OpenApiDocument {
  document: OpenAPIObject | Record<string, never> = {};
}

/** Describes the REST door from its controllers and DTOs. */
export function describeRestDoor(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Curfew')
    .setDescription('Sessions that end everywhere at once. Errors are problem documents (RFC 9457).')
    .setVersion(API_VERSION)
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key, `cfk_…`.' })
    .addSecurityRequirements('bearer')
    .build();
  const document = SwaggerModule.createDocument(app, config, { extraModels: [ProblemDoc] });
  const problem = {
    description: 'A problem document; `code` says which.',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDoc' } } },
  };
  for (const path of Object.values(document.paths))
    for (const operation of [path.get, path.post, path.delete])
      if (operation) operation.responses['default'] = problem;
  return document;
}
