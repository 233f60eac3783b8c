import 'reflect-metadata';
import { mkdir, writeFile } from 'node:fs/promises';
import { eventsPage } from './events-page.js';
import { configurationPage, errorsPage } from './reference-pages.js';
import { sessionEventsPage } from './session-events-page.js';

const FOLDER = 'docs/reference';

await mkdir(FOLDER, { recursive: true });
await writeFile(`${FOLDER}/errors.md`, errorsPage());
await writeFile(`${FOLDER}/configuration.md`, configurationPage());
await writeFile(`${FOLDER}/events.md`, eventsPage());
await writeFile(`${FOLDER}/session-events.md`, sessionEventsPage());
