-- dbtop: min=2016 max=2025 Session set-up, once per connection, before the first poll: never take locks that matter,
-- never wait long for one, always lose a deadlock. No result set. Needs no right. Every statement may fail without
-- harm: after an error each is sent alone, and a setting that still fails is left as it was.
SET /* dbtop:session */ NOCOUNT ON;
SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED;
SET LOCK_TIMEOUT 1000;
SET DEADLOCK_PRIORITY -10;
SET ARITHABORT ON;
SET QUOTED_IDENTIFIER ON;
