// Original file: proto/holdfast/pipeline.proto

import type { Welcome__Input as _holdfast_v1_Welcome__Input, Welcome as _holdfast_v1_Welcome } from '../../holdfast/v1/Welcome.ts';
import type { Leadership__Input as _holdfast_v1_Leadership__Input, Leadership as _holdfast_v1_Leadership } from '../../holdfast/v1/Leadership.ts';
import type { Answer__Input as _holdfast_v1_Answer__Input, Answer as _holdfast_v1_Answer } from '../../holdfast/v1/Answer.ts';

export interface AnswerBatch__Input {
  'welcome'?: (_holdfast_v1_Welcome__Input | null);
  'leadership'?: (_holdfast_v1_Leadership__Input | null);
  'answers'?: (_holdfast_v1_Answer__Input)[];
}

export interface AnswerBatch {
  'welcome': (_holdfast_v1_Welcome | null);
  'leadership': (_holdfast_v1_Leadership | null);
  'answers': (_holdfast_v1_Answer)[];
}
