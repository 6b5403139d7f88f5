// Original file: proto/holdfast/peer.proto


export interface DescribeRequest__Input {
}

export interface DescribeRequest {
}
