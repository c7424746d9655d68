module.exports = require('../../jest.package.cjs')('protocol');
