# pinecone-local: a server with Pinecone's API, for development and tests.
#
#	docker build -f deploy/docker/pinecone-local.Dockerfile -t pinecone-local:1.0 .
#	docker run --rm --network host pinecone-local:1.0 --api-key secret --index movies:4:cosine
#
# Indexes have ports of their own: beyond --network host give --host-name, by which
# clients reach the container, and --index-port-base, and publish those ports, too.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update && \
    apt-get install -y --no-install-recommends gcc make libc6-dev libmicrohttpd-dev libstemmer-dev
COPY . /build
WORKDIR /build
RUN make -s -C test/server

FROM ${BASE}
LABEL org.opencontainers.image.title="pinecone-local" \
      org.opencontainers.image.description="A server with Pinecone's API, for development and tests" \
      org.opencontainers.image.version="1.0" \
      org.opencontainers.image.licenses="PostgreSQL"
RUN apt-get update && \
    apt-get install -y --no-install-recommends curl libmicrohttpd12 libstemmer0d && \
    rm -rf /var/lib/apt/lists/* && \
    useradd --system --uid 10001 --no-create-home pinecone
COPY --from=build /build/test/server/pinecone-local /usr/local/bin/
USER 10001
EXPOSE 5080
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s \
    CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:5080/_local/settings"]
ENTRYPOINT ["pinecone-local", "--port", "5080"]
