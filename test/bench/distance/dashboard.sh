# dashboard.sh
#	A dashboard: the statements of test/bench/dashboard.sql, one after the other in
#	one session, on the records of questions.sh.  For test/bench/distance.sh.

# shellcheck source=test/bench/distance/questions.sh
source <(sed '/^write_question_records$/,$d' test/bench/distance/questions.sh)

write_question_records
start_service --index asked:64:cosine
make_question_tables
compare dashboard 60 "LOAD 'pinecone_fdw'; $(grep -v '^--' test/bench/dashboard.sql | sed 's/$/;/' | tr '\n' ' ')"
