# A JDK, because the program is compiled when it runs, and the driver
java --list-modules 2>/dev/null | grep -q '^jdk.compiler' || { echo 'there is no JDK (default-jdk-headless)'; exit 1; }
[ -e /usr/share/java/postgresql.jar ] || { echo 'there is no driver (libpostgresql-jdbc-java)'; exit 1; }
