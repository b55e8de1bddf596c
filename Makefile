# pinecone_fdw: build with PGXS.  "make", "make install", "make installcheck".
#
# The extension script is put together from one file per part of the
# extension (src/sql/parts), so that each part can be read next to its C file.

MODULE_big = pinecone_fdw
OBJS = $(patsubst %.c,%.o,$(wildcard src/*.c src/*/*.c))

EXTENSION = pinecone_fdw
EXTVERSION = 1.0
SQL_PARTS = src/sql/parts/fdw.sql src/sql/parts/distance.sql \
	src/sql/parts/match.sql src/sql/parts/search.sql src/sql/parts/search_rows.sql src/sql/parts/hybrid.sql src/sql/parts/sparse.sql src/sql/parts/inference.sql src/sql/parts/comment.sql src/sql/parts/sync.sql \
	src/sql/parts/admin.sql src/sql/parts/check.sql src/sql/parts/statistics.sql src/sql/parts/outbox.sql src/sql/parts/huf.sql \
	src/sql/parts/mirror.sql \
	src/sql/parts/huf_score.sql src/sql/parts/huf_concentration.sql \
	src/sql/parts/huf_drift.sql src/sql/parts/huf_sketch.sql \
	src/sql/parts/huf_cycle.sql src/sql/parts/huf_profile.sql \
	src/sql/parts/huf_snapshot.sql \
	src/sql/parts/huf_snapshot_take.sql src/sql/parts/huf_snapshot_change.sql \
	src/sql/parts/huf_snapshot_alert.sql src/sql/parts/huf_snapshot_install.sql
DATA_built = src/sql/pinecone_fdw--$(EXTVERSION).sql
DATA = $(wildcard src/sql/pinecone_fdw--*--*.sql)
PGFILEDESC = "pinecone_fdw - foreign data wrapper for Pinecone"

REGRESS = $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
REGRESS_OPTS = --load-extension=pinecone_fdw

# srcdir may end in a slash, and with two of them ccache does not find the headers
PG_CPPFLAGS = -I$(patsubst %/,%,$(srcdir))/src $(shell pkg-config --cflags libcurl json-c)
ifdef SMALL_LIMITS
PG_CPPFLAGS += -DPINECONE_SMALL_LIMITS
endif
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers -Wno-declaration-after-statement
# A thousand calls of our own functions are bound here, and not looked up whenever a backend loads the module
SHLIB_LINK = -Wl,-Bsymbolic-functions $(shell pkg-config --libs libcurl json-c) -lm
# What the module exports: PostgreSQL 14 and 15 would have all of a thousand functions visible to other modules
SHLIB_EXPORTS = .exports.txt
EXTRA_CLEAN = .limits .exports.txt src/sql/pinecone_fdw--$(EXTVERSION).sql

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

ifdef WERROR
override CFLAGS += -Werror
endif

$(OBJS): $(wildcard src/*.h src/*/*.h) .limits
$(OBJS:.o=.bc): .limits

# What the objects were made with: "make SMALL_LIMITS=1" (src/base/limits.h) makes
# all of them anew, and so does "make" afterwards
.limits: FORCE
	@echo '$(if $(SMALL_LIMITS),small,as documented)' | cmp -s - $@ || echo '$(if $(SMALL_LIMITS),small,as documented)' >$@
.PHONY: FORCE
FORCE:

# What SQL and the server look up by name: functions of version 1 and background workers
.exports.txt: $(OBJS:.o=.c)
	{ printf '%s\n' Pg_magic_func _PG_init 'pg_finfo_*'; \
	  sed -nE 's/^PG_FUNCTION_INFO_V1\((\w+)\);$$/\1/p; s/^PGDLLEXPORT \w+ (\w+)\(.*\);$$/\1/p' $^; } >$@

# Not fused where a processor could: the digits are the same on all of them
override CFLAGS += -ffp-contract=off
override BITCODE_CFLAGS += -ffp-contract=off
# Sums of floats may be taken in any order there, so in SIMD lanes
SIMD_CFLAGS = -O3 -ffp-contract=fast -fassociative-math -fno-signed-zeros -fno-trapping-math
src/base/distance.o: CFLAGS += $(SIMD_CFLAGS)
src/base/distance.bc: BITCODE_CFLAGS += $(SIMD_CFLAGS)
# Comparisons there may be made in SIMD lanes, too
src/wire/print.o: CFLAGS += -O3 -fno-trapping-math
src/wire/print.bc: BITCODE_CFLAGS += -O3 -fno-trapping-math

src/sql/pinecone_fdw--$(EXTVERSION).sql: $(SQL_PARTS)
	cat $^ > $@

# ---- For who works on it: see docs/contributing.md ----
.PHONY: format layers check-all dist
# What PGXN takes: the files of the last commit
DISTVERSION = $(EXTVERSION).0
dist:
	git archive --format=zip --prefix=$(EXTENSION)-$(DISTVERSION)/ --output=$(EXTENSION)-$(DISTVERSION).zip HEAD
format:
	clang-format -i $(wildcard src/*.[ch] src/*/*.[ch] test/server/*.[ch])
layers: all
	test/layers.pl
check-all:
	test/check.sh
