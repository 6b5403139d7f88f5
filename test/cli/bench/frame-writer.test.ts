import { describe, expect, test } from 'vitest';
import { FrameWriter } from '../../../src/cli/bench/frame-writer.ts';
import { frameFlag, frameType, setting } from '../../../src/cli/bench/frames.ts';

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('FrameWriter', () => {
  test('frames of one turn leave in one write', async () => {
    const sent: string[] = [];
    const writer = new FrameWriter((bytes) => sent.push(bytes.toString('hex')));

    writer.grant(3, 0x0102);
    writer.write(frameType.data, frameFlag.endStream, 5, Buffer.from('abc'));
    await turn();
    writer.acknowledgeSettings();
    await turn();

    expect(sent).toEqual([
      '000004080000000003' + '00000102' + '000003000100000005' + '616263',
      '000000040100000000',
    ]);
  });

  test('it begins with the preface and the settings', async () => {
    const sent: string[] = [];
    const writer = new FrameWriter((bytes) => sent.push(bytes.toString('hex')));

    writer.begin([[setting.initialWindow, 0x7fff_ffff]]);
    await turn();

    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n').toString('hex');
    expect(sent).toEqual([`${preface}000006040000000000${'0004' + '7fffffff'}`]);
  });

  test('nothing is sent once it is stopped, not even what has been written', async () => {
    const sent: Buffer[] = [];
    const writer = new FrameWriter((bytes) => sent.push(bytes));

    writer.acknowledgeSettings();
    writer.stop();
    writer.acknowledgeSettings();
    await turn();

    expect(sent).toEqual([]);
  });
});
