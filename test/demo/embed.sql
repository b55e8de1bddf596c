-- A toy embedder.  It knows nothing of what words mean: it hashes their
-- trigrams into 256 dimensions, so texts are near each other when they share
-- parts of words.  A real application calls an embedding model instead.
CREATE FUNCTION toy_embed(words text) RETURNS real[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  WITH trigrams AS (
    SELECT substr('  ' || word || ' ', i, 3) AS trigram
    FROM regexp_split_to_table(lower(words), '[^[:alnum:]]+') word, generate_series(1, length(word) + 1) i
    WHERE word <> ALL ('{"",a,an,and,are,as,at,be,by,for,from,how,if,in,is,it,its,of,on,or,that,the,this,to,when,which,with}'::text[])
  ), hashed AS (
    SELECT hashtext(trigram) & 255 AS dimension, sqrt(count(*)) AS weight
    FROM trigrams GROUP BY 1
  )
  SELECT array_agg(coalesce(weight / length, 0)::real ORDER BY i)
  FROM generate_series(0, 255) i LEFT JOIN hashed ON dimension = i,
       (SELECT sqrt(sum(weight ^ 2)) AS length FROM hashed) l
$$;
