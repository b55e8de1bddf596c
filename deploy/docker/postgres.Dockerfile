# PostgreSQL with pinecone_fdw.
#
#	docker build -f deploy/docker/postgres.Dockerfile -t postgres-pinecone-fdw:17 .
#
# BASE is pinned by its tag; pin it by digest where images are promoted from one
# environment to the next (--build-arg BASE=postgres@sha256:...).  Any of the
# official images of PostgreSQL 14 and later on Debian 12 or later does.
ARG BASE=postgres:17.6-bookworm

FROM ${BASE} AS build
RUN apt-get update && \
    apt-get install -y --no-install-recommends gcc make pkg-config libc6-dev libcurl4-openssl-dev libjson-c-dev "postgresql-server-dev-${PG_MAJOR}"
COPY . /build
WORKDIR /build
RUN make -s with_llvm=no && \
    make -s with_llvm=no install DESTDIR=/out

FROM ${BASE}
LABEL org.opencontainers.image.title="PostgreSQL with pinecone_fdw" \
      org.opencontainers.image.description="Pinecone namespaces as foreign tables" \
      org.opencontainers.image.version="1.0" \
      org.opencontainers.image.licenses="PostgreSQL"
RUN apt-get update && \
    apt-get install -y --no-install-recommends ca-certificates libcurl4 libjson-c5 && \
    rm -rf /var/lib/apt/lists/*
COPY --from=build /out/ /
# The image's own entrypoint needs no root when the data directory is the user's
USER postgres
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["pg_isready", "-q", "-U", "postgres", "-h", "127.0.0.1"]
# Statistics, budgets and rates are the whole cluster's where the module is preloaded
CMD ["postgres", "-c", "shared_preload_libraries=pinecone_fdw"]
