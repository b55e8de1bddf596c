#!/usr/bin/env bash
#
# protobufjs 8.8.1 and @grpc/proto-loader 0.8.1: google.protobuf.Struct.
#
# Over gRPC the metadata of a vector is a Struct, in Pinecone's and others' definitions.
#
# Guessed: fromObject() makes a Struct of a plain object, as it makes an Any; or verify() says
# that it cannot.
#
# Seen: { genre: 'drama' } passes verify() and becomes a Struct without fields; a vector
# upserted through @grpc/grpc-js arrives without its metadata, and nobody is told.  Only
# { fields: { genre: { stringValue: 'drama' } } } gets there.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages protobufjs@8.8.1 @grpc/grpc-js@1.14.7 @grpc/proto-loader@0.8.1
cat >vectors.proto <<'END'
syntax = "proto3";
package vectors;
import "google/protobuf/struct.proto";

message Vector {
	string id = 1;
	repeated float values = 2;
	google.protobuf.Struct metadata = 3;
}
message UpsertRequest {
	repeated Vector vectors = 1;
}
message UpsertResponse {
	uint32 upserted_count = 1;
}
service VectorService {
	rpc Upsert(UpsertRequest) returns (UpsertResponse);
}
END
cat >run.mjs <<'END'
import protobuf from 'protobufjs';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const Struct = protobuf.Root.fromJSON(protobuf.common.get('google/protobuf/struct.proto')).lookupType('google.protobuf.Struct');
console.log('verify:', Struct.verify({ genre: 'drama' }), 'bytes:', Struct.encode(Struct.fromObject({ genre: 'drama' })).finish().length);
const alone = Struct.verify({ genre: 'drama' }) === null && Struct.encode(Struct.fromObject({ genre: 'drama' })).finish().length === 0;

const { VectorService } = grpc.loadPackageDefinition(loader.loadSync('vectors.proto')).vectors;
const server = new grpc.Server();
let arrived;
server.addService(VectorService.service, {
	Upsert: (call, reply) => {
		arrived = call.request.vectors.map((vector) => Object.keys(vector.metadata?.fields ?? {}).join());
		reply(null, { upsertedCount: call.request.vectors.length });
	},
});
const port = await new Promise((ready) => server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (_, bound) => ready(bound)));
const client = new VectorService(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
const vectors = [
	{ id: 'a', values: [1], metadata: { genre: 'drama' } },
	{ id: 'b', values: [1], metadata: { fields: { genre: { stringValue: 'drama' } } } },
];
const error = await new Promise((ready) => client.Upsert({ vectors }, ready));
console.log('error:', error, 'fields that arrived:', JSON.stringify(arrived));
process.exit(alone && error === null && JSON.stringify(arrived) === '["","genre"]' ? 0 : 1);
END
node run.mjs
