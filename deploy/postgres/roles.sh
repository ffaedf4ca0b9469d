#!/usr/bin/env bash
# The roles and the database of Pelatis, in a new cluster. The image of PostgreSQL runs it once, when it makes its data; elsewhere run it
# as a superuser, with PGHOST and PGPORT where psql needs them:
#
#   OWNER_PASSWORD=… APP_PASSWORD=… deploy/postgres/roles.sh
#
# pelatis_owner owns the tables and migrates; pelatis_app is what servers and workers sign in as: it owns nothing and obeys row security.
set -euo pipefail
: "${OWNER_PASSWORD:?is not set}" "${APP_PASSWORD:?is not set}"

# the passwords are read from the environment by psql itself: arguments are seen by everybody on the machine
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD
-- CREATEROLE: migrations begin with making sure that pelatis_app is there
CREATE ROLE pelatis_owner LOGIN NOSUPERUSER NOCREATEDB CREATEROLE NOBYPASSRLS PASSWORD :'owner_password';
CREATE ROLE pelatis_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'app_password';
-- from PostgreSQL 16 on, CREATEROLE alone does not let it grant a role that others made
GRANT pelatis_app TO pelatis_owner WITH ADMIN OPTION;
CREATE DATABASE pelatis OWNER pelatis_owner;
REVOKE CONNECT, TEMPORARY ON DATABASE pelatis FROM PUBLIC;
GRANT CONNECT ON DATABASE pelatis TO pelatis_app;
SQL
