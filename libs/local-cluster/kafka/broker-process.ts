import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrokerJars } from './broker-jars.js';
import { toFile, type Properties } from './broker-properties.js';
import { runCommand, tail } from './run-command.js';
import type { Watchdog } from './watchdog.js';

const FORMAT_MS = 60_000;
const STOP_PATIENCE_MS = 10_000;
const DISCARD_PATIENCE_MS = 1_000;
/** Starts are most of what a broker of a test does: the quick compiler and the small collector halve their CPU time. */
const FLAGS = [
  '-XX:+IgnoreUnrecognizedVMOptions',
  '-XX:TieredStopAtLevel=1',
  '-XX:+UseSerialGC',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
];

export interface BrokerFiles {
  readonly jars: BrokerJars;
  /** Of this node alone: properties, log, data. */
  readonly folder: string;
  readonly watchdog: Watchdog;
}

/** A broker in a JVM of its own. */
export class BrokerProcess {
  private child: ChildProcess | undefined;
  private archiving: string | undefined;

  constructor(private readonly files: BrokerFiles) {}

  get running(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Writes the properties and makes the data folder. @param credentials `--add-scram` values */
  async format(properties: Properties, clusterId: string, credentials: readonly string[]): Promise<void> {
    const { folder } = this.files;
    await mkdir(folder, { recursive: true });
    await writeFile(this.propertiesFile, toFile(properties), { mode: 0o600 });
    const { code, output } = await runCommand(
      this.files.jars.java.command,
      [
        ...this.flags(),
        // With `=`: one in 64 begins with a dash.
        ...['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', this.propertiesFile],
        ...credentials.flatMap((credential) => ['--add-scram', credential]),
      ],
      { within: FORMAT_MS },
    );
    if (code !== 0) throw new Error(`Kafka's storage could not be formatted:\n${tail(output)}`);
  }

  /** Starts it and does not wait until it serves. @param archive writes the class archive when it stops */
  async launch({ archive = false } = {}): Promise<void> {
    const { jars, folder, watchdog } = this.files;
    const log = await open(this.logFile, 'a', 0o600);
    this.archiving =
      archive && !existsSync(jars.classArchive) ? `${jars.classArchive}.${process.pid}` : undefined;
    const making = this.archiving === undefined ? [] : [`-XX:ArchiveClassesAtExit=${this.archiving}`];
    const child = spawn(
      jars.java.command,
      ['-Xmx512m', ...making, ...this.flags(), 'kafka.Kafka', this.propertiesFile],
      { cwd: folder, stdio: ['ignore', log.fd, log.fd], detached: true },
    );
    this.child = child;
    child.on('error', () => undefined);
    child.unref();
    await log.close();
    const { pid } = child;
    if (pid === undefined) throw new Error('Java could not be started');
    watchdog.began(pid);
    child.once('exit', () => watchdog.ended(pid));
  }

  /** What it said last, for an error. */
  async lastWords(): Promise<string> {
    return tail(await readFile(this.logFile, 'utf8').catch(() => ''));
  }

  signal(name: NodeJS.Signals): Promise<void> {
    if (!this.running) return Promise.reject(new Error('this Kafka node does not run'));
    this.child?.kill(name);
    return Promise.resolve();
  }

  async kill(): Promise<void> {
    if (!this.running) return;
    const ended = this.ended();
    this.child?.kill('SIGKILL');
    await ended;
  }

  /** SIGTERM, then SIGKILL. */
  stop(): Promise<void> {
    return this.end(STOP_PATIENCE_MS);
  }

  /** As `stop`, for a broker whose data nobody needs again: without its majority it could not leave in good order anyway. */
  discard(): Promise<void> {
    return this.end(this.archiving === undefined ? DISCARD_PATIENCE_MS : STOP_PATIENCE_MS);
  }

  private async end(patience: number): Promise<void> {
    if (!this.running) return;
    const ended = this.ended();
    this.child?.kill('SIGCONT');
    this.child?.kill('SIGTERM');
    const timer = setTimeout(() => this.child?.kill('SIGKILL'), patience);
    await ended;
    clearTimeout(timer);
    await this.keepArchive();
  }

  private ended(): Promise<void> {
    this.child?.ref();
    return new Promise((resolve) => this.child?.once('exit', () => resolve()));
  }

  /** Only a broker that ended by itself has written all of it. */
  private async keepArchive(): Promise<void> {
    if (this.archiving === undefined) return;
    if (this.child?.signalCode === null)
      await rename(this.archiving, this.files.jars.classArchive).catch(() => undefined);
    await rm(this.archiving, { force: true });
    this.archiving = undefined;
  }

  private flags(): string[] {
    const { classArchive, classPath } = this.files.jars;
    // Of another build, or torn: the JVM then goes on without it, and says so unless told not to.
    const classes = existsSync(classArchive) ? [`-XX:SharedArchiveFile=${classArchive}`] : [];
    return [...FLAGS, ...classes, '-Xlog:cds=off', '-Xlog:cds+dynamic=off', '-cp', classPath];
  }

  private get propertiesFile(): string {
    return join(this.files.folder, 'server.properties');
  }

  private get logFile(): string {
    return join(this.files.folder, 'broker.log');
  }
}
