// Original file: proto/holdfast/pipeline.proto

import type { Operation__Input as _holdfast_v1_Operation__Input, Operation as _holdfast_v1_Operation } from '../../holdfast/v1/Operation.ts';
import type { Long } from '@grpc/proto-loader';

export interface OperationBatch__Input {
  'session'?: (number | string | Long);
  'lowest_unanswered'?: (number | string | Long);
  'operations'?: (_holdfast_v1_Operation__Input)[];
}

export interface OperationBatch {
  'session': (string);
  'lowest_unanswered': (string);
  'operations': (_holdfast_v1_Operation)[];
}
