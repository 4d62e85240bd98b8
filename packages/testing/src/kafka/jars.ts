import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const POM = join(import.meta.dirname, 'pom.xml');
const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath';

/** Another version of Kafka than the one in the POM. */
const version = process.env.KAFKA_VERSION || undefined;

/**
 * The Java class path of Apache Kafka. The first call on a machine downloads the jars (about 90 MB) with Maven, into Maven's own
 * repository. The class path is kept in a file, for this POM and version; later calls read it.
 */
export async function kafkaClassPath(): Promise<string> {
  const pom = createHash('sha256')
    .update(readFileSync(POM))
    .update(version ?? '')
    .digest('hex')
    .slice(0, 16);
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tallystick-tests');
  const kept = join(cache, `kafka-${pom}.classpath`);
  if (existsSync(kept)) {
    const classPath = readFileSync(kept, 'utf8');
    if (classPath.split(delimiter).every((jar) => existsSync(jar))) return classPath;
  }
  mkdirSync(cache, { recursive: true });
  const fresh = `${kept}.${process.pid}`;
  const options = [
    `-Dmdep.outputFile=${fresh}`,
    ...(version === undefined ? [] : [`-Dkafka.version=${version}`]),
  ];
  try {
    await promisify(execFile)('mvn', ['-q', '-B', '-f', POM, PLUGIN, ...options]);
  } catch (cause) {
    throw new Error('Maven could not resolve the jars of Apache Kafka', { cause });
  }
  const classPath = readFileSync(fresh, 'utf8').trim();
  writeFileSync(fresh, classPath);
  // Two test runs may do this at the same time. The later one replaces the file with the same text.
  renameSync(fresh, kept);
  return classPath;
}
