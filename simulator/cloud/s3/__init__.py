"""What stands for Amazon S3: objects are files of a directory (`buckets`), read by presigned URLs (`presigned`)."""
