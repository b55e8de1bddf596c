-- What docs/frameworks.md takes for granted: namespaces as the frameworks fill them.
CREATE EXTENSION vector;
CREATE EXTENSION pinecone_fdw;
CREATE SERVER pinecone FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'frameworks');
CREATE USER MAPPING FOR CURRENT_USER SERVER pinecone OPTIONS (api_key '...');
CREATE FOREIGN TABLE filling (
  namespace text OPTIONS (role 'namespace'), id text, embedding real[], metadata jsonb
) SERVER pinecone;
INSERT INTO filling VALUES
  ('langchain', 'b6d5c1a0-0000-4000-8000-000000000001', '{1, 2, 3, 4}', '{"text": "Body", "source": "guide.pdf", "loc.lines.from": 12, "loc.lines.to": 30, "tags": ["a", "b"]}'),
  ('llamaindex', 'doc-1_chunk_1', '{1, 2, 3, 4}', '{"_node_content": "{\"id_\": \"1\", \"text\": \"Body\"}", "_node_type": "TextNode", "ref_doc_id": "doc-1", "doc_id": "doc-1", "document_id": "doc-1"}'),
  ('llamaindex', 'None_chunk_2', '{4, 3, 2, 1}', '{"_node_content": "{\"id_\": \"2\", \"text\": \"Another\"}", "_node_type": "TextNode", "ref_doc_id": "None", "doc_id": "None", "document_id": "None"}'),
  ('mastra', 'm1', '{1, 2, 3, 4}', '{"text": "Body", "published": "2024-05-01T00:00:00.000Z"}'),
  ('genkit', '0cc175b9c0f1b6a831c399e269772661', '{1, 2, 3, 4}', '{"_content": "Body", "_contentType": "text", "docMetadata": "{\"tenant\": \"acme\"}"}'),
  ('embedjs', 'e1', '{1, 2, 3, 4}', '{"pageContent": "Body", "id": "e1", "uniqueLoaderId": "WebLoader_1", "source": "example.org"}'),
  ('mem0', 'b6d5c1a0-0000-4000-8000-000000000002', '{1, 2, 3, 4}', '{"data": "likes tea", "hash": "1f", "textLemmatized": "like tea", "user_id": "alice", "createdAt": "2026-04-01T10:00:00.000Z", "updatedAt": "2026-04-01T10:00:00.000Z"}'),
  ('flowise', 'b6d5c1a0-0000-4000-8000-000000000003', '{1, 2, 3, 4}', '{"text": "Body", "source": "blob", "blobType": "application/pdf", "flowise_chatId": "c1"}'),
  ('default', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '{1, 2, 3, 4}', '{"content": "Body", "language": "en"}');
