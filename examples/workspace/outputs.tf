output "network" {
  description = "The name every service is attached to."
  value       = terraform_data.network.output.name
}

output "services" {
  description = "Names of the services by key."
  value       = { for key, service in terraform_data.service : key => service.output.name }
}

output "copies" {
  description = "Copies over all services."
  value       = sum(values(var.services))
}
