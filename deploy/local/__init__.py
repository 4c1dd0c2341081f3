"""The local stack without Docker: a real Apache Kafka from Python packages and Maven Central."""
