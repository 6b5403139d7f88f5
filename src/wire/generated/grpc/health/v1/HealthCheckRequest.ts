// Original file: proto/holdfast/health.proto


export interface HealthCheckRequest__Input {
  'service'?: (string);
}

export interface HealthCheckRequest {
  'service': (string);
}
