/**
 * Recorded histories in files: the format `neutral-history/1`.
 *
 * A history is lines of JSON, one operation each:
 * `{"process":3,"op":"cas","key":"r","args":[1,4],"result":false,"call":17,"return":20}`, where a
 * return of null means that the outcome is unknown. A folder of them has a `manifest.json`, which
 * names model, initial value and known verdict of each.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from '../../src/base/index.ts';
import { checkHistory, HistoryError, type Operation } from './history.ts';
import {
  appendModel,
  type RegisterInput,
  registerModel,
  type RegisterModel,
  type RegisterOutput,
  type Scalar,
} from './models.ts';

/** An operation of a recorded history. */
export type RecordedOperation = Operation<RegisterInput, RegisterOutput>;

/** A recorded history and what is known of it. */
export interface RecordedHistory {
  readonly name: string;
  readonly model: RegisterModel;
  readonly isLinearizable: boolean;
  readonly operations: readonly RecordedOperation[];
}

const formatName = 'neutral-history/1';
const modelsByName: ReadonlyMap<string, (initial: Scalar) => RegisterModel> = new Map([
  ['register', registerModel],
  ['kv-append', (initial: Scalar) => appendModel(initial === null ? '' : String(initial))],
]);

type Json = Readonly<Record<string, unknown>>;

/** Reads the histories that the manifest of `folder` lists. */
export function readHistoryFolder(folder: string): readonly RecordedHistory[] {
  const path = join(folder, 'manifest.json');
  const manifest = parseObject(readFileSync(path, 'utf8'), path);
  if (manifest['format'] !== formatName) {
    throw new HistoryError(path, 'format', `must be ${formatName}, is ${text(manifest['format'])}`);
  }
  const { histories } = manifest;
  if (!Array.isArray(histories)) {
    throw new HistoryError(path, 'histories', `must be a list, is ${text(histories)}`);
  }
  return histories.map((entry: Json, index) => readListed(folder, entry, `${path}, item ${index}`));
}

function readListed(folder: string, entry: Json, place: string): RecordedHistory {
  const file = stringField(entry, 'file', place);
  const modelName = stringField(entry, 'model', place);
  const createModel = modelsByName.get(modelName);
  if (createModel === undefined) {
    const known = Array.from(modelsByName.keys()).join(', ');
    throw new HistoryError(place, 'model', `must be one of ${known}, is ${modelName}`);
  }
  const isLinearizable = entry['linearizable'];
  if (typeof isLinearizable !== 'boolean') {
    throw new HistoryError(place, 'linearizable', `must be true or false`);
  }
  const operations = parseHistory(readFileSync(join(folder, file), 'utf8'), file);
  if (operations.length !== entry['ops']) {
    const problem = `is ${text(entry['ops'])}, but ${file} has ${operations.length}`;
    throw new HistoryError(place, 'ops', problem);
  }
  return {
    name: stringField(entry, 'name', place),
    model: createModel(scalarField(entry, 'initial', place)),
    isLinearizable,
    operations,
  };
}

/** Parses a history, one operation a line; `source` names it in errors. */
export function parseHistory(lines: string, source: string): readonly RecordedOperation[] {
  const placeOf = (index: number): string => `${source}:${index + 1}`;
  const operations = lines
    .trimEnd()
    .split('\n')
    .map((line, index) => parseOperation(line, placeOf(index)));
  checkHistory(operations, placeOf);
  return operations;
}

function parseOperation(line: string, place: string): RecordedOperation {
  const fields = parseObject(line, place);
  const { call, process } = fields;
  const returned = fields['return'];
  if (typeof process !== 'number') {
    throw new HistoryError(place, 'process', `must be a number, is ${text(process)}`);
  }
  if (typeof call !== 'number') {
    throw new HistoryError(place, 'call', `must be a number, is ${text(call)}`);
  }
  if (returned !== null && typeof returned !== 'number') {
    throw new HistoryError(place, 'return', `must be a number or null, is ${text(returned)}`);
  }
  const input = parseInput(fields, place);
  if (returned === null) {
    return { process, call, return: undefined, input, output: undefined };
  }
  return { process, call, return: returned, input, output: parseOutput(fields, input, place) };
}

function parseInput(fields: Json, place: string): RegisterInput {
  const op = stringField(fields, 'op', place);
  const key = stringField(fields, 'key', place);
  switch (op) {
    case 'get':
      parseArguments(fields, 0, place);
      return { type: 'read', key };
    case 'put':
      return { type: 'write', key, value: at(parseArguments(fields, 1, place), 0) };
    case 'append':
      return { type: 'append', key, value: String(at(parseArguments(fields, 1, place), 0)) };
    case 'cas': {
      const values = parseArguments(fields, 2, place);
      return { type: 'cas', key, expected: at(values, 0), value: at(values, 1) };
    }
    default:
      throw new HistoryError(place, 'op', `must be get, put, append or cas, is ${op}`);
  }
}

function parseOutput(fields: Json, input: RegisterInput, place: string): RegisterOutput {
  switch (input.type) {
    case 'read':
      return { type: 'read', value: scalarField(fields, 'result', place) };
    case 'cas': {
      const succeeded = fields['result'];
      if (typeof succeeded !== 'boolean') {
        throw new HistoryError(place, 'result', `must be true or false, is ${text(succeeded)}`);
      }
      return { type: 'cas', succeeded };
    }
    case 'write':
    case 'append':
      if (fields['result'] !== 'ok') {
        throw new HistoryError(place, 'result', `must be "ok", is ${text(fields['result'])}`);
      }
      return { type: 'written' };
  }
}

function parseArguments(fields: Json, count: number, place: string): readonly Scalar[] {
  const { args } = fields;
  if (!Array.isArray(args) || args.length !== count || !args.every(isScalar)) {
    throw new HistoryError(place, 'args', `must be a list of ${count} values, is ${text(args)}`);
  }
  return args;
}

function at(values: readonly Scalar[], index: number): Scalar {
  const value = values[index];
  return value === null ? null : must(value, 'an argument');
}

function parseObject(json: string, place: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new Error(`${place}: no valid JSON`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${place}: must be a JSON object, is ${text(value)}`);
  }
  return value as Json;
}

function stringField(fields: Json, name: string, place: string): string {
  const value = fields[name];
  if (typeof value !== 'string') {
    throw new HistoryError(place, name, `must be a text, is ${text(value)}`);
  }
  return value;
}

function scalarField(fields: Json, name: string, place: string): Scalar {
  const value = fields[name];
  if (!isScalar(value)) {
    throw new HistoryError(place, name, `must be a text, a number or null, is ${text(value)}`);
  }
  return value;
}

function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value === 'string' || typeof value === 'number';
}

function text(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value);
}
