import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runCommand, tail } from './run-command.js';

export const KAFKA_VERSION = '4.3.1';
const LOWEST_JAVA = 17;
const LOOK_MS = 20_000;
const DOWNLOAD_MS = 600_000;

export interface Java {
  readonly command: string;
  readonly major: number;
  /** Tells one build from another: a class archive fits only the build that wrote it. */
  readonly build: string;
}

/** The jars and what belongs to them. Kept for every later start on this machine. */
export interface BrokerJars {
  readonly java: Java;
  readonly folder: string;
  readonly classPath: string;
  /** Where the classes of this Java and these jars are kept ready (CDS); it may not exist yet. */
  readonly classArchive: string;
}

/** `JAVA_HOME`, else the `java` on the path, if it is new enough for the broker. */
export async function findJava(): Promise<Java | { missing: string }> {
  const home = process.env['JAVA_HOME'];
  const command = home === undefined || home === '' ? 'java' : join(home, 'bin/java');
  const { code, output } = await runCommand(command, ['-version'], { within: LOOK_MS });
  const version = /version "(\d+)[^"]*"/.exec(output);
  if (code !== 0 || version === null) return { missing: 'no Java' };
  const major = Number(version[1]);
  if (major < LOWEST_JAVA) return { missing: `Java ${major}, and the broker needs ${LOWEST_JAVA}` };
  return { command, major, build: createHash('sha256').update(output).digest('hex').slice(0, 16) };
}

/** Undefined if the jars are here or can be got. */
export async function whyNoJars(): Promise<string | undefined> {
  if (existsSync(markerOf(jarsFolder()))) return undefined;
  const { code } = await runCommand('mvn', ['-v'], { within: LOOK_MS });
  return code === 0 ? undefined : 'no Maven to get the broker with';
}

/**
 * The broker's jars, downloaded from Maven Central at the first call on a machine (45 MB, 5 to 20 s), checksums enforced.
 * Two processes at once may both download; one result stays.
 * @throws Error with Maven's last lines
 */
export async function brokerJars(java: Java, onLine: (line: string) => void): Promise<BrokerJars> {
  const folder = jarsFolder();
  if (!existsSync(markerOf(folder))) await download(folder, onLine);
  return {
    java,
    folder,
    classPath: join(folder, 'jars', '*'),
    classArchive: join(folder, `classes-${java.build}.jsa`),
  };
}

function jarsFolder(): string {
  const cache = process.env['XDG_CACHE_HOME'];
  return join(cache || join(homedir(), '.cache'), 'curfew', `kafka-${KAFKA_VERSION}`);
}

const markerOf = (folder: string): string => join(folder, 'complete');

async function download(folder: string, onLine: (line: string) => void): Promise<void> {
  onLine(`Apache Kafka ${KAFKA_VERSION}: downloading the broker's jars with Maven (45 MB, once)`);
  await mkdir(join(folder, '..'), { recursive: true });
  const temporary = await mkdtemp(`${folder}.`);
  try {
    await writeFile(join(temporary, 'pom.xml'), POM);
    const args = ['-q', '-B', '-C', 'dependency:copy-dependencies', '-DoutputDirectory=jars'];
    const { code, output } = await runCommand('mvn', args, { within: DOWNLOAD_MS, cwd: temporary });
    if (code !== 0) throw new Error(`Maven could not get Apache Kafka ${KAFKA_VERSION}:\n${tail(output)}`);
    await writeFile(markerOf(temporary), '');
    await putInPlace(temporary, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  onLine(`Apache Kafka ${KAFKA_VERSION}: the jars are in ${folder}`);
}

/** A rename is all or nothing. It fails if another process was faster, and then that one's jars are as good. */
async function putInPlace(temporary: string, folder: string): Promise<void> {
  try {
    await rename(temporary, folder);
  } catch (error) {
    if (existsSync(markerOf(folder))) return;
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
  }
}

// Without the logging binding a broker that cannot start says nothing.
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>curfew</groupId>
  <artifactId>test-broker</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
  <build>
    <plugins>
      <plugin>
        <groupId>org.apache.maven.plugins</groupId>
        <artifactId>maven-dependency-plugin</artifactId>
        <version>3.8.1</version>
      </plugin>
    </plugins>
  </build>
</project>
`;
