import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { kafkaClassPath, tempDir } from '@tallystick/testing';

const SOURCE = `
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
public class Partitions {
  public static void main(String[] arguments) throws Exception {
    int partitions = Integer.parseInt(arguments[0]);
    for (int i = 1; i < arguments.length; i++)
      System.out.println(BuiltInPartitioner.partitionForKey(arguments[i].getBytes("UTF-8"), partitions));
  }
}`;

/** Into which partition the Java client puts each of the keys. */
export async function javaPartitions(keys: readonly string[], partitions: number): Promise<number[]> {
  using dir = tempDir();
  const file = join(dir.path, 'Partitions.java');
  writeFileSync(file, SOURCE);
  const options = ['-cp', await kafkaClassPath(), file, String(partitions), ...keys];
  const { stdout } = await promisify(execFile)('java', options);
  return stdout.trim().split('\n').map(Number);
}
