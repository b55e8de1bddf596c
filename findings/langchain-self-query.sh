#!/usr/bin/env bash
#
# @langchain/core 1.4.0 with @langchain/pinecone 1.0.3: conditions of a structured
# query (what SelfQueryRetriever has a model write) on their way into filters.
#
# Guessed: PineconeTranslator sends a text value as text, however it reads, as a
# field of texts holds it; FunctionalTranslator's OR is true of a document when one
# of its conditions is.
#
# Seen: text that is written as JavaScript writes a number becomes that number ('2024',
# '1.5', but not '02024' or '1.50'), and Pinecone takes no number for equal to a text:
# such a field is never found by $eq and never left out by $ne. The same happens within
# FunctionalTranslator, whose OR besides begins with true, so that it is true of
# every document.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
packages @langchain/pinecone@1.0.3 @langchain/core@1.4.0 @pinecone-database/pinecone@5.1.2
cat >run.mjs <<'END'
import { Comparators, Comparison, FunctionalTranslator, Operation, Operators, StructuredQuery } from '@langchain/core/structured_query';
import { PineconeTranslator } from '@langchain/pinecone';

const filter = (translator, condition) => translator.visitStructuredQuery(new StructuredQuery('x', condition)).filter;
const equal = (field, value) => new Comparison(Comparators.eq, field, value);

const seen = { pinecone: {} };
for (const text of ['2024', '1.5', '02024', '1.50', 'x2024'])
	seen.pinecone[text] = filter(new PineconeTranslator(), equal('model', text)).model.$eq;

const documents = ['2024', 'x2024', 'other'].map((model) => ({ pageContent: model, metadata: { model } }));
const found = (condition) => documents.filter(filter(new FunctionalTranslator(), condition)).map((document) => document.pageContent);
seen.one = found(equal('model', 'x2024'));
seen.digits = found(equal('model', '2024'));
seen.and = found(new Operation(Operators.and, [equal('model', 'x2024'), equal('model', 'other')]));
seen.or = found(new Operation(Operators.or, [equal('model', 'x2024'), equal('model', 'nowhere')]));
console.log(seen);

const types = Object.values(seen.pinecone).map((value) => typeof value).join();
process.exit(types === 'number,number,string,string,string' && seen.one.join() === 'x2024' && seen.digits.length === 0 &&
	seen.and.length === 0 && seen.or.join() === '2024,x2024,other' ? 0 : 1);
END
node run.mjs
