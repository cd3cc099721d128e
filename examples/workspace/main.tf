# Uses only what terraform has built in: no provider is downloaded, nothing is created outside the state.
terraform {
  required_version = ">= 1.4"
}

locals {
  name = "tour-${var.environment}"
}

resource "terraform_data" "network" {
  input = {
    name = local.name
    cidr = "10.20.0.0/16"
  }
}

resource "terraform_data" "service" {
  for_each = var.services

  input = {
    name    = "${local.name}-${each.key}"
    copies  = each.value
    network = terraform_data.network.output.name
  }
}

# The slow one: five lines, a second apart, so that a live log has something to show.
resource "terraform_data" "migration" {
  triggers_replace = [local.name]

  provisioner "local-exec" {
    command = <<-EOT
      i=1
      while [ "$i" -le ${var.migration_seconds} ]; do
        echo "migration step $i of ${var.migration_seconds}"
        sleep 1
        i=$((i + 1))
      done
    EOT
  }
}

resource "terraform_data" "secret" {
  input = sha256(var.greeting)
}
