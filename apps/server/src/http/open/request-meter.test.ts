import { expect, it } from 'vitest'
import { RequestMeter } from './request-meter.js'

it('counts requests into buckets that hold those below them too', () => {
  const meter = new RequestMeter()
  meter.count('taskData', 200, 0.0005)
  meter.count('taskData', 200, 0.003)
  meter.count('taskData', 200, 60)
  meter.count('taskData', 409, 0.001)
  const lines = meter.text().split('\n')
  expect(lines).toContain('iac_http_request_seconds_bucket{le="0.001",endpoint="taskData",status="200"} 1')
  expect(lines).toContain('iac_http_request_seconds_bucket{le="0.005",endpoint="taskData",status="200"} 2')
  expect(lines).toContain('iac_http_request_seconds_bucket{le="10",endpoint="taskData",status="200"} 2')
  expect(lines).toContain('iac_http_request_seconds_bucket{le="+Inf",endpoint="taskData",status="200"} 3')
  expect(lines).toContain('iac_http_request_seconds_count{endpoint="taskData",status="200"} 3')
  expect(lines).toContain('iac_http_request_seconds_sum{endpoint="taskData",status="200"} 60.0035')
  expect(lines).toContain('iac_http_request_seconds_bucket{le="0.001",endpoint="taskData",status="409"} 1')
})
