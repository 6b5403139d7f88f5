// Original file: proto/holdfast/pipeline.proto


export interface Failure__Input {
  'status'?: (number);
  'code'?: (string);
  'message'?: (string);
  'is_outcome_unknown'?: (boolean);
}

export interface Failure {
  'status': (number);
  'code': (string);
  'message': (string);
  'is_outcome_unknown': (boolean);
}
