-- An index as the page's vectors need it
CREATE EXTENSION pinecone_fdw;
CREATE SERVER catalog FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'modelled', control_host 'http://127.0.0.1:5080');
CREATE USER MAPPING FOR CURRENT_USER SERVER catalog OPTIONS (api_key '...');
\! test/regress/pinecone create modelled 384 cosine >/dev/null
CREATE FOREIGN TABLE movies (id text, embedding real[], title text, score real) SERVER catalog;
CREATE TABLE questions (words text);
INSERT INTO questions VALUES ('a heist'), ('a voyage');
CREATE TABLE plots (id text, plot text, title text);
INSERT INTO plots SELECT 'm' || i, 'the plot of film ' || i, 'Film ' || i FROM generate_series(1, 60) i;
