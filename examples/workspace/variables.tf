variable "environment" {
  description = "Where this workspace pretends to deploy to."
  type        = string
  default     = "staging"
}

variable "services" {
  description = "The services of this environment and how many copies of each run."
  type        = map(number)
  default = {
    api    = 2
    web    = 1
    worker = 3
  }
}

variable "greeting" {
  description = "A sensitive value: it never shows in a log."
  type        = string
  sensitive   = true
  default     = "unset"
}

variable "migration_seconds" {
  description = "How long the slow resource takes to create."
  type        = number
  default     = 5
}
