-- Several hosts of a server, and the regions that it may use: what is refused, and what it says.
-- lists of hosts, beside one or instead of it
CREATE SERVER h FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (hosts 'kb-1.svc.us-east1-gcp.pinecone.io, https://kb-2.svc.eu-west1-gcp.pinecone.io:443');
ALTER SERVER h OPTIONS (ADD host 'kb-3.svc.us-east1-gcp.pinecone.io', hosts_retry '5s', failover_writes 'on');
ALTER SERVER h OPTIONS (DROP host, ADD index 'kb');
ALTER SERVER h OPTIONS (SET hosts 'aws:us-east-1 = kb-1.pinecone.io , eu-west-1=[::1]:5080');
-- that are none
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (hosts '');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (hosts 'a.pinecone.io,');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (hosts 'a.pinecone.io b.pinecone.io');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (hosts 'a.pinecone.io, https://b.pinecone.io/query');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (hosts 'a.pinecone.io, ftp://b.pinecone.io');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (hosts 'a.pinecone.io, b.pinecone.io, https://A.pinecone.io');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'https://a.pinecone.io', hosts 'b.pinecone.io, a.pinecone.io');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (hosts 'US East=a.pinecone.io');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (hosts 'a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'a', hosts_retry '5 parsecs');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'a', hosts_retry '-1');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'a', failover_writes 'perhaps');
CREATE USER MAPPING FOR CURRENT_USER SERVER h OPTIONS (hosts 'a');
CREATE FOREIGN TABLE bad (id text) SERVER h OPTIONS (hosts 'a');
-- lists of regions
ALTER SERVER h OPTIONS (ADD allowed_regions 'us-east-1, aws:eu-west-1,gcp:us-central1');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'a', allowed_regions '');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'a', allowed_regions 'us-east-1,,eu-west-1');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'a', allowed_regions 'us-east-1, us-east-1');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'a', allowed_regions 'US-EAST-1');
CREATE SERVER bad FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'a', allowed_regions 'aws:');

-- each host has to be one that may be sent a key
CREATE USER MAPPING FOR CURRENT_USER SERVER h OPTIONS (api_key 'sesame');
CREATE FOREIGN TABLE h (id text, n int) SERVER h;
ALTER SERVER h OPTIONS (DROP index, DROP allowed_regions, SET hosts 'kb.example.com, kb-1.svc.us-east1-gcp.pinecone.io');
SELECT id FROM h;
ALTER SERVER h OPTIONS (SET hosts 'http://kb-1.svc.us-east1-gcp.pinecone.io');
SELECT id FROM h;

-- where a host is, its name may tell
ALTER SERVER h OPTIONS (SET hosts 'kb-1.svc.us-east1-gcp.pinecone.io', ADD allowed_regions 'europe-west1');
SELECT id FROM h;
INSERT INTO h VALUES ('a', 1);
ALTER SERVER h OPTIONS (SET allowed_regions 'aws:us-east1');
SELECT id FROM h;
ALTER SERVER h OPTIONS (SET hosts 'kb-1.svc.private.eastus-azure.pinecone.io', SET allowed_regions 'eastus2, aws:eastus');
SELECT id FROM h;
ALTER SERVER h OPTIONS (SET hosts 'kb-1.svc.aws-eu-west-1-b921.pinecone.io', SET allowed_regions 'us-east-1');
SELECT id FROM h;
-- of all hosts, those that are not in use among them
ALTER SERVER h OPTIONS (SET hosts 'kb-1.svc.us-east1-gcp.pinecone.io, kb-2.svc.europe-west1-gcp.pinecone.io', SET allowed_regions 'us-east1');
SELECT id FROM h;
-- or what the option says
ALTER SERVER h OPTIONS (SET hosts 'eu-west-1=kb-1.svc.us-east1-gcp.pinecone.io', SET allowed_regions 'us-east1');
SELECT id FROM h;
-- others tell nothing: the control plane has to
ALTER SERVER h OPTIONS (SET hosts 'kb-1.svc.aped-4627-b74a.pinecone.io', SET allowed_regions 'us-east-1', ADD control_host 'http://127.0.0.1:1', ADD max_retries '0');
SELECT id FROM h;
ALTER SERVER h OPTIONS (SET hosts 'us-east1-gcp.example.com');
SET pinecone_fdw.allowed_hosts = '*';
SELECT id FROM h;
RESET pinecone_fdw.allowed_hosts;
SELECT step, ok, detail, hint FROM pinecone_ping('h') WHERE NOT ok;

-- the hosts from SQL; nothing has been tried
ALTER SERVER h OPTIONS (SET hosts 'aws:eu-west-1=a.pinecone.io, b.svc.us-east1-gcp.pinecone.io, c.pinecone.io', DROP allowed_regions);
SELECT * FROM pinecone_hosts('h');
ALTER SERVER h OPTIONS (ADD index 'kb', SET failover_writes 'false');
SELECT position, host, region, state, reads, writes FROM pinecone_hosts('h');
SELECT * FROM pinecone_hosts('nothing');
SELECT * FROM pinecone_hosts(NULL);
CREATE ROLE regress_pinecone_hosts;
SET ROLE regress_pinecone_hosts;
SELECT * FROM pinecone_hosts('h');
RESET ROLE;
DROP ROLE regress_pinecone_hosts;
SET client_min_messages = error;
DROP SERVER h CASCADE;
